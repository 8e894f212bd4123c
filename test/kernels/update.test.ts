/** Reduce and optimizer step, held against closed forms worked out in double precision. */
import { describe, expect, it } from 'vitest';
import { FIRST_FREE_BYTE, type KernelPass } from '#shardfit/kernels/kernels.js';
import { type Workbench, workbench } from './support.js';

const LINE_BYTES = 64;
const VALUES = 32;
const SLOT_BYTES = VALUES * 4;

/** Weights, velocity, `slots` gradient slots and the table of those, one behind the other. */
class Slice {
  readonly #bench: Workbench;
  readonly #base: number;
  readonly slots: number;

  constructor(slots: number, base = FIRST_FREE_BYTE) {
    this.slots = slots;
    this.#base = base;
    this.#bench = workbench(base + SLOT_BYTES * (3 + slots));
    this.#bench.addresses(this.#table, slots).set(Array.from({ length: slots }, (_, i) => this.#slot(i)));
  }

  get weights(): Float32Array {
    return this.#bench.floats(this.#base, VALUES);
  }

  get velocity(): Float32Array {
    return this.#bench.floats(this.#base + SLOT_BYTES, VALUES);
  }

  gradient(slot: number): Float32Array {
    return this.#bench.floats(this.#slot(slot), VALUES);
  }

  assign(from = 0, to = SLOT_BYTES): void {
    this.#bench.kernels.reduceAssign(this.#base, this.#table, this.slots, from, to);
  }

  sgd(rate: number, from = 0, to = SLOT_BYTES): void {
    this.#bench.kernels.reduceSgd(...this.#pass(from, to), -rate);
  }

  momentum(rate: number, momentum: number, { nesterov = false, velocity = 'step' } = {}): void {
    const [gradientScale, velocityScale] = velocity === 'step' ? [-rate, 1] : [1, -rate];
    const { kernels } = this.#bench;
    kernels.reduceSgdMomentum(
      ...this.#pass(0, SLOT_BYTES),
      gradientScale as number,
      velocityScale as number,
      momentum,
      nesterov,
    );
  }

  #pass(from: number, to: number): KernelPass {
    const [weights, velocity] = [this.#base, this.#base + SLOT_BYTES];
    return [weights, weights, velocity, SLOT_BYTES, this.#table, this.slots, from, to];
  }

  #slot(slot: number): number {
    return this.#base + (2 + slot) * SLOT_BYTES;
  }

  get #table(): number {
    return this.#slot(this.slots);
  }
}

const wave = (k: number) => Float32Array.from({ length: VALUES }, (_, i) => Math.sin(i * 12.9898 + k * 78.233));

describe('plain descent', () => {
  it('takes w [1, 2, 3, 4] with g [1, 6, 7, 2] at rate 0.5 to [0.5, -1, -0.5, 3]', () => {
    const slice = new Slice(1);
    slice.weights.set([1, 2, 3, 4]);
    slice.gradient(0).set([1, 6, 7, 2]);
    slice.sgd(0.5);
    expect([...slice.weights.subarray(0, 5)]).toEqual([0.5, -1, -0.5, 3, 0]);
  });

  it.each([1, 2, 3, 6])('adds up %i slots in their order, to the bit', (slots) => {
    const slice = new Slice(slots);
    slice.weights.set(wave(-1));
    for (let s = 0; s < slots; s++) slice.gradient(s).set(wave(s));
    slice.sgd(0.1);
    const f = Math.fround;
    const expected = wave(-1).map((w, i) => {
      let sum = wave(0)[i] as number;
      for (let s = 1; s < slots; s++) sum = f(sum + (wave(s)[i] as number));
      return f(w + f(f(-0.1) * sum));
    });
    expect([...slice.weights]).toEqual([...expected]);
  });

  it('touches its own slice and nothing else', () => {
    const slice = new Slice(2);
    slice.weights.fill(1);
    slice.gradient(0).fill(1);
    slice.gradient(1).fill(1);
    slice.sgd(0.25, LINE_BYTES, 2 * LINE_BYTES);
    expect([...slice.weights]).toEqual(Array.from({ length: VALUES }, (_, i) => (i < 16 ? 1 : 0.5)));
    expect([...slice.velocity]).toEqual([...new Float32Array(VALUES)]);
  });

  it('works above 2 GiB, where addresses no longer fit a signed number', () => {
    const slice = new Slice(2, 3 * 2 ** 30);
    slice.weights.fill(3);
    slice.gradient(0).fill(1);
    slice.gradient(1).fill(2);
    slice.sgd(1);
    expect([...slice.weights]).toEqual([...new Float32Array(VALUES)]);
  });
});

describe('momentum', () => {
  it.each(['step', 'gradient'])('follows the reference trajectory with the velocity as a %s', (velocity) => {
    const slice = new Slice(1);
    slice.weights.set([1, 3]);
    slice.gradient(0).set([0.1, 0.01]);
    slice.momentum(2, 0.9, { velocity });
    expect(slice.weights[0]).toBeCloseTo(0.8, 6);
    expect(slice.weights[1]).toBeCloseTo(2.98, 6);
    if (velocity === 'step') expect(slice.velocity[0]).toBeCloseTo(-0.2, 6);
    slice.momentum(2, 0.9, { velocity });
    expect(slice.weights[0]).toBeCloseTo(0.42, 6);
    expect(slice.weights[1]).toBeCloseTo(2.942, 6);
    if (velocity === 'step') expect(slice.velocity[0]).toBeCloseTo(-0.38, 6);
  });

  it.each([false, true])('has the closed form of a constant gradient (nesterov %s)', (nesterov) => {
    const [rate, m, g, steps] = [0.1, 0.8, 0.5, 12];
    const slice = new Slice(1);
    slice.gradient(0).fill(g);
    for (let t = 0; t < steps; t++) slice.momentum(rate, m, { nesterov });
    // v_t = -rate g (1 - m^t) / (1 - m) after t steps; plain w sums v_t, nesterov sums m v_t - rate g.
    let w = 0;
    for (let t = 1; t <= steps; t++) {
      const v = (-rate * g * (1 - m ** t)) / (1 - m);
      w += nesterov ? m * v - rate * g : v;
    }
    for (const value of slice.weights) expect(value).toBeCloseTo(w, 5);
  });

  it('ends where gradients are 0, in place of staying a number that processors are slow with', () => {
    const slice = new Slice(1);
    slice.velocity.set([1e-37, -1e-37, 2e-38, -2e-38, Number.NaN]);
    slice.momentum(0.1, 0.5);
    expect([...slice.velocity.subarray(0, 5)]).toEqual(
      [1e-37, -1e-37, 0, 0, Number.NaN].map((v) => Math.fround(v / 2)),
    );
    for (let i = 0; i < 300; i++) slice.momentum(0.1, 0.9);
    expect([...slice.velocity.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it('is plain descent when it is zero', () => {
    const [plain, momentum] = [new Slice(3), new Slice(3)];
    for (const slice of [plain, momentum]) for (let s = 0; s < 3; s++) slice.gradient(s).set(wave(s));
    plain.sgd(0.3);
    momentum.momentum(0.3, 0);
    expect([...momentum.weights]).toEqual([...plain.weights]);
  });
});

describe('weights that are replaced', () => {
  it('become the sum over the slots', () => {
    const slice = new Slice(2);
    slice.weights.fill(100);
    slice.gradient(0).fill(1.5);
    slice.gradient(1).fill(0.25);
    slice.assign(0, LINE_BYTES);
    expect([...slice.weights]).toEqual(Array.from({ length: VALUES }, (_, i) => (i < 16 ? 1.75 : 100)));
  });
});
