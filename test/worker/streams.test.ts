/** Gradients and weights by streams, beside those that are read where they are written: workers in turn, on one thread. */
import { describe, expect, it } from 'vitest';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import { CONTROL_WORDS, Control } from '#shardfit/common/control.js';
import { adam, type Optimizer, sgd } from '#shardfit/common/optimizers/index.js';
import { layOutParameters, type ParameterLayout } from '#shardfit/common/parameters.js';
import type { ReplicaSetup } from '#shardfit/common/protocol.js';
import { piece } from '#shardfit/common/shards.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import type { Shard } from '#shardfit/worker/gradient-engine.js';
import { streamingCopy } from '#shardfit/worker/streaming-copy.js';
import { Streams } from '#shardfit/worker/streams.js';
import { ownSlice, Updater } from '#shardfit/worker/updater.js';

const PARAMETERS = layOutParameters([
  { index: 0, name: 'kernel', shape: [30, 50], role: 'trained' },
  { index: 1, name: 'mean', shape: [90], role: 'replaced' },
  { index: 2, name: 'fixed', shape: [20], role: 'fixed' },
]);
const SGD = sgd({ learningRate: 0.1, momentum: 0.9 });

function openArena(shards: number, { length, replacedEnd, trainedEnd }: ParameterLayout): Arena {
  const layout = new LayoutBuilder(FIRST_FREE_BYTE)
    .add('control', 'int32', CONTROL_WORDS)
    .add('weights', 'float32', length)
    .add('slots', 'float32', 2 * trainedEnd)
    .add('accumulator', 'float32', replacedEnd)
    .add('gradients', 'float32', shards * replacedEnd)
    .add('streamed', 'float32', shards * replacedEnd)
    .add('squares', 'float32', 0);
  for (let rank = 0; rank < shards; rank++) {
    layout.add(`gradientSlots${rank}`, 'int32', shards + 1);
    layout.add(`streamedSlots${rank}`, 'int32', shards + 1);
    layout.add(`staged${rank}`, 'float32', 128);
  }
  const built = layout.build();
  const initial = Math.ceil(built.bytes / 65_536);
  return new Arena(new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true }), built);
}

interface Case {
  workers: number;
  shards: number;
  /** Workers that the streams are made for, before they are told of fewer. */
  first?: number;
  accumulates?: boolean;
  optimizer?: Optimizer;
}

/** Weights, state and streamed slots after a step of every worker. */
function trained({ workers, shards, first = workers, accumulates, optimizer = SGD }: Case, streaming: boolean) {
  const arena = openArena(shards, PARAMETERS);
  for (const name of ['weights', 'gradients']) {
    for (const [i] of arena.floats(name).entries()) arena.floats(name)[i] = Math.sin(i * 12.9898 + name.length);
  }
  const control = new Control(arena.ints('control'));
  control.streaming = streaming;
  const all = Array.from({ length: workers }, (_, rank) => {
    const kernels = loadKernels(arena.memory);
    const setup = { parameters: PARAMETERS, workers: first, shards, rank } as ReplicaSetup;
    const streams = new Streams(arena, control, setup, streamingCopy(arena, kernels));
    if (workers !== first) streams.shareAmong(workers);
    const updater = new Updater(arena, kernels, PARAMETERS, `gradientSlots${rank}`, arena.segment(`staged${rank}`));
    updater.take(streams.ways);
    return { rank, streams, updater, slice: ownSlice(PARAMETERS, workers, rank) };
  });
  for (const { rank, streams } of all) {
    const { start, count } = piece(shards, workers, rank);
    const own = Array.from({ length: count }, (_, i) => ({ index: start + i }) as Shard);
    if (streams.ways) streams.send(own);
  }
  const slots = { start: 0, count: shards };
  for (const { updater, slice } of all) {
    if (accumulates) updater.accumulate(shards, slice, true);
    updater.apply(updater.own, accumulates ? { start: -1, count: 1 } : slots, slice, optimizer, 0, 0);
    updater.replace(updater.own, slots, slice);
  }
  const [weights, state, streamed] = ['weights', 'slots', 'streamed'].map((name) => [...arena.floats(name)]);
  return { result: { weights, state }, streamed: streamed as number[], gradients: [...arena.floats('gradients')] };
}

describe.each<Case>([
  { workers: 2, shards: 2 },
  { workers: 2, shards: 3 },
  { workers: 3, shards: 7 },
  { workers: 4, shards: 4, optimizer: adam({ learningRate: 0.1 }) },
  { workers: 2, shards: 5, accumulates: true },
  { workers: 3, shards: 6, first: 6 },
])('%o', (given) => {
  it('makes the same weights and state, to the bit', () => {
    expect(trained(given, true).result).toEqual(trained(given, false).result);
  });

  it('sends of each gradient what other workers add up, and that alone', () => {
    const { streamed, gradients } = trained(given, true);
    const { workers, shards } = given;
    const owners = Array.from({ length: PARAMETERS.replacedEnd }, (_, i) => {
      const isIn = ({ start, count }: { start: number; count: number }) => 4 * i >= start && 4 * i < start + count;
      const slices = Array.from({ length: workers }, (_, rank) => ownSlice(PARAMETERS, workers, rank));
      return slices.findIndex(({ trained, replaced }) => isIn(trained) || isIn(replaced));
    });
    for (let shard = 0; shard < shards; shard++) {
      const of = Array.from({ length: workers }, (_, rank) => piece(shards, workers, rank)).findIndex(
        ({ start, count }) => shard >= start && shard < start + count,
      );
      const at = shard * PARAMETERS.replacedEnd;
      const expected = owners.map((owner, i) => (owner === of ? 0 : gradients[at + i]));
      expect(streamed.slice(at, at + PARAMETERS.replacedEnd)).toEqual(expected);
    }
  });
});

it('has no ways of its own while nobody has decided to stream', () => {
  expect(trained({ workers: 2, shards: 2 }, false).streamed.every((value) => value === 0)).toBe(true);
});
