/** State that shrinks, where gradients have become 0, to numbers below the smallest normal float32. */
import { describe, expect, it } from 'vitest';
import { adadelta, adam, adamax, type Optimizer, rmsprop, sgd } from '#shardfit/common/optimizers/index.js';
import { FIRST_FREE_BYTE, type KernelPass } from '#shardfit/kernels/kernels.js';
import { optimizerStep } from '#shardfit/worker/optimizer-step.js';
import { workbench } from './support.js';

const VALUES = 16;
const BYTES = VALUES * 4;
/** Just above the smallest normal number, 1.18e-38: half of it is denormal. */
const SMALL = 2e-38;

/** Weights of 1, up to three vectors of state that hold `state`, and a gradient. */
function updated(optimizer: Optimizer, state: number, gradient: number) {
  const { kernels, floats, addresses } = workbench(FIRST_FREE_BYTE + 6 * BYTES);
  const places = [0, 1, 4, 5].map((k) => FIRST_FREE_BYTE + k * BYTES);
  const [weights, slots, gradients, table] = places as [number, number, number, number];
  addresses(table, 1).set([gradients]);
  floats(weights, VALUES).fill(1);
  floats(slots, 3 * VALUES).fill(state);
  floats(gradients, VALUES).fill(gradient);
  const pass: KernelPass = [weights, weights, slots, BYTES, table, 1, 0, BYTES];
  optimizerStep(kernels, optimizer, pass, 10, 1);
  return { weights: [...floats(weights, VALUES)], state: [...floats(slots, 3 * VALUES)] };
}

const halved = { beta1: 0.5, beta2: 0.5 };
const OPTIMIZERS: Record<string, [optimizer: (epsilon?: number) => Optimizer, vectors: number]> = {
  momentum: [() => sgd({ learningRate: 0.1, momentum: 0.5 }), 1],
  nesterov: [() => sgd({ learningRate: 0.1, momentum: 0.5, nesterov: true }), 1],
  adam: [(epsilon = 1e-7) => adam({ ...halved, epsilon }), 2],
  adamax: [(epsilon = 1e-7) => adamax({ ...halved, epsilon }), 2],
  adadelta: [(epsilon = 1e-7) => adadelta({ rho: 0.5, epsilon }), 2],
  rmsprop: [(epsilon = 1e-7) => rmsprop({ rho: 0.5, momentum: 0.5, epsilon }), 2],
  'rmsprop, centered': [(epsilon = 1e-7) => rmsprop({ rho: 0.5, momentum: 0.5, centered: true, epsilon }), 3],
};

describe.each(Object.entries(OPTIMIZERS))('%s', (_, [optimizer, vectors]) => {
  it('has 0 in place of denormal numbers', () => {
    const { weights, state } = updated(optimizer(), SMALL, 0);
    expect(state.slice(0, vectors * VALUES)).toEqual(new Array(vectors * VALUES).fill(0));
    expect(weights).toEqual(new Array(VALUES).fill(1));
  });

  it('keeps NaN and larger numbers', () => {
    expect(updated(optimizer(), Number.NaN, 0).state[0]).toBeNaN();
    expect(updated(optimizer(), 0, Number.NaN).weights[0]).toBeNaN();
    expect(updated(optimizer(), 4 * SMALL, 0).state[0]).toBe(Math.fround(2 * Math.fround(SMALL)));
  });
});

it.each(['adam', 'adamax', 'rmsprop'])('%s without an epsilon divides by what is left, not by 0', (name) => {
  const [optimizer] = OPTIMIZERS[name] as [(epsilon: number) => Optimizer, number];
  const { weights, state } = updated(optimizer(0), SMALL, 0);
  expect(Math.max(...state)).toBeGreaterThan(0);
  expect(weights.every(Number.isFinite)).toBe(true);
});
