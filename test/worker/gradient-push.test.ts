/** Gradients and weights that are pushed, beside those that are pulled: workers in turn, on one thread. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import { CONTROL_WORDS, Control } from '#shardfit/common/control.js';
import { NON_TEMPORAL_COPY, writeNonTemporalCopy } from '#shardfit/common/non-temporal-copy.js';
import { adam, type Optimizer, sgd } from '#shardfit/common/optimizers/index.js';
import { layOutParameters, type ParameterLayout } from '#shardfit/common/parameters.js';
import type { ReplicaSetup } from '#shardfit/common/protocol.js';
import { piece } from '#shardfit/common/shards.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import type { Shard } from '#shardfit/worker/gradient-engine.js';
import { GradientPush } from '#shardfit/worker/gradient-push.js';
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
    .add('pushed', 'float32', shards * replacedEnd)
    .add('squares', 'float32', 0);
  for (let rank = 0; rank < shards; rank++) {
    layout.add(`gradientSlots${rank}`, 'int32', shards + 1);
    layout.add(`pushedSlots${rank}`, 'int32', shards + 1);
    layout.add(`staged${rank}`, 'float32', 128);
  }
  const built = layout.build();
  const initial = Math.ceil(built.bytes / 65_536);
  return new Arena(new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true }), built);
}

interface Case {
  workers: number;
  shards: number;
  /** Workers that there are at first. */
  first?: number;
  accumulates?: boolean;
  optimizer?: Optimizer;
  parameters?: ParameterLayout;
}

/** Weights, state and pushed slots after a step of every worker. */
function trained(
  { workers, shards, first = workers, accumulates, optimizer = SGD, parameters = PARAMETERS }: Case,
  pushes: boolean,
) {
  const arena = openArena(shards, parameters);
  for (const name of ['weights', 'gradients']) {
    for (const [i] of arena.floats(name).entries()) arena.floats(name)[i] = Math.sin(i * 12.9898 + name.length);
  }
  const control = new Control(arena.ints('control'));
  const how = { address: writeNonTemporalCopy() as number, always: true };
  const all = Array.from({ length: workers }, (_, rank) => {
    const kernels = loadKernels(arena.memory);
    const push = new GradientPush(arena, control, { parameters, workers: first, shards, rank } as ReplicaSetup, how);
    for (const count of [1, workers]) push.shareAmong(count);
    const updater = new Updater(arena, kernels, parameters, `gradientSlots${rank}`, arena.segment(`staged${rank}`));
    control.pushing = pushes;
    updater.goBy(push.beginStep());
    return { rank, push, updater, slice: ownSlice(parameters, workers, rank) };
  });
  for (const { rank, push } of all) {
    expect(push.isOn).toBe(pushes);
    if (!push.isOn) continue;
    const { start, count } = piece(shards, workers, rank);
    push.send(Array.from({ length: count }, (_, i) => ({ index: start + i }) as Shard));
  }
  const slots = { start: 0, count: shards };
  for (const { updater, slice } of all) {
    if (accumulates) updater.accumulate(shards, slice, true);
    updater.apply(updater.own, accumulates ? { start: -1, count: 1 } : slots, slice, optimizer, 0, 0);
    updater.replace(updater.own, slots, slice);
  }
  const [weights, state, pushed] = ['weights', 'slots', 'pushed'].map((name) => arena.floats(name));
  const staged = arena.floats('staged0')[0] as number;
  return { result: { weights, state }, pushed: pushed as Float32Array, gradients: arena.floats('gradients'), staged };
}

describe.runIf(NON_TEMPORAL_COPY).each<Case>([
  { workers: 2, shards: 2 },
  { workers: 2, shards: 3 },
  { workers: 3, shards: 7 },
  { workers: 4, shards: 4, optimizer: adam({ learningRate: 0.1 }) },
  { workers: 2, shards: 5, accumulates: true },
  { workers: 3, shards: 6, first: 6 },
  { workers: 4, shards: 6, first: 2 },
])('%o', (given) => {
  it('makes the same weights and state, to the bit', () => {
    const [pushed, pulled] = [trained(given, true).result, trained(given, false).result];
    expect([...(pushed.weights ?? [])]).toEqual([...(pulled.weights ?? [])]);
    expect([...(pushed.state ?? [])]).toEqual([...(pulled.state ?? [])]);
  });

  it('sends of each gradient what other workers add up, and that alone', () => {
    const { pushed, gradients } = trained(given, true);
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
      expect([...pushed.slice(at, at + PARAMETERS.replacedEnd)]).toEqual(expected);
    }
  });
});

it.runIf(NON_TEMPORAL_COPY)('puts weights that no cache holds together first only if they are pushed', () => {
  const parameters = layOutParameters([{ index: 0, name: 'kernel', shape: [(1 << 19) + 16], role: 'trained' }]);
  const given = { workers: 2, shards: 2, parameters };
  const [pushed, pulled] = [trained(given, true), trained(given, false)];
  expect(sha256(pushed.result.weights)).toBe(sha256(pulled.result.weights));
  expect([pushed.staged !== 0, pulled.staged]).toEqual([true, 0]);
});

function sha256(values: Float32Array | undefined): string {
  return createHash('sha256')
    .update(Float32Array.from(values as Float32Array))
    .digest('hex');
}
