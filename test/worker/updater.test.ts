/** New weights that are put together in memory of a worker's own, beside those that are written in place. */
import { describe, expect, it } from 'vitest';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  type Optimizer,
  rmsprop,
  sgd,
  slotsOf,
} from '#shardfit/common/optimizers/index.js';
import { layOutParameters } from '#shardfit/common/parameters.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import { ownSlice, Updater } from '#shardfit/worker/updater.js';

const PARAMETERS = layOutParameters([
  { index: 0, name: 'kernel', shape: [30, 50], role: 'trained' },
  { index: 1, name: 'bias', shape: [50], role: 'trained' },
]);
const SHARDS = 2;
const SEGMENTS = { weights: 1, slots: 3, accumulator: 1, gradients: SHARDS };

/** Weights and state after two updates of the slice of worker `rank` of `workers`, with room for `staged` new weights. */
function updated(optimizer: Optimizer, staged: number, [workers, rank]: [number, number] = [3, 1]) {
  const layout = new LayoutBuilder(FIRST_FREE_BYTE).add('staged', 'float32', staged);
  for (const [name, count] of Object.entries(SEGMENTS)) layout.add(name, 'float32', count * PARAMETERS.length);
  const built = layout
    .add('squares', 'float32', 8)
    .add('addresses', 'int32', SHARDS + 1)
    .build();
  const memory = new WebAssembly.Memory({ initial: 2, maximum: MAXIMUM_PAGES, shared: true });
  const arena = new Arena(memory, built);
  for (const name of Object.keys(SEGMENTS)) {
    for (const [i] of arena.floats(name).entries()) arena.floats(name)[i] = Math.sin(i * 12.9898 + name.length) ** 2;
  }
  const updater = new Updater(arena, loadKernels(memory), PARAMETERS, 'addresses', arena.segment('staged'));
  const slots = { start: 0, count: SHARDS };
  updater.reduceNorms(slots, { start: 0, count: updater.norms.blocks }, 0);
  for (const t of [0, 1]) updater.apply(updater.own, slots, ownSlice(PARAMETERS, workers, rank), optimizer, t, 0);
  const [weights, slots_, staging] = ['weights', 'slots', 'staged'].map((name) => [...arena.floats(name)]);
  return { made: { weights, slots: slots_ }, weights: weights as number[], staging: staging as number[] };
}

const OPTIMIZERS: Record<string, Optimizer> = {
  sgd: sgd({ learningRate: 0.1 }),
  momentum: sgd({ learningRate: 0.1, momentum: 0.9 }),
  nesterov: sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  'by norm': sgd({ learningRate: 0.1, momentum: 0.9, clipNorm: 0.5 }),
  adagrad: adagrad({ learningRate: 0.1 }),
  adadelta: adadelta({ learningRate: 0.1 }),
  adam: adam({ learningRate: 0.1 }),
  adamax: adamax({ learningRate: 0.1 }),
  rmsprop: rmsprop({ learningRate: 0.1, momentum: 0.9, centered: true }),
};

const initial = Array.from({ length: PARAMETERS.length }, (_, i) => Math.fround(Math.sin(i * 12.9898 + 7) ** 2));

describe.each(Object.entries(OPTIMIZERS))('%s', (_, optimizer) => {
  it.each([
    ['a part of them', 128],
    ['all', 2048],
  ])('makes the same weights, to the bit, with room for %s', (_, room) => {
    expect(slotsOf(optimizer)).toBeLessThanOrEqual(SEGMENTS.slots);
    const inPlace = updated(optimizer, 0);
    const staged = updated(optimizer, room);
    expect(staged.made).toEqual(inPlace.made);
    const changed = staged.weights.filter((weight, i) => weight !== initial[i]);
    expect(changed.length).toBeGreaterThan(400);
    // They went by way of it.
    expect(staged.staging.slice(0, 16).some((weight) => changed.includes(weight))).toBe(true);
  });
});

it.each([0, 128])('changes nothing for a worker without weights, with room for %i', (room) => {
  expect(updated(OPTIMIZERS.momentum as Optimizer, room, [200, 199]).weights).toEqual(initial);
});
