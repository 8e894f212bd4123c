import type { Arena } from '../common/arena.js';
import { learningRateAt, type Optimizer, slotsOf } from '../common/optimizers.js';
import { LINE, type ParameterLayout } from '../common/parameters.js';
import { piece, type Range } from '../common/shards.js';
import type { Kernels } from '../kernels/kernels.js';

const FLOAT_BYTES = 4;

/** Bytes of the parameter vector: the part that is descended, and the part whose values are replaced. */
export interface Slice {
  trained: Range;
  replaced: Range;
}

/** Byte addresses of a vector of weights and of the optimizer slots that belong to it. */
export interface Target {
  weights: number;
  slots: number;
}

/** The part that worker `rank` owns: a reduce-scatter with a sharded optimizer (ZeRO-1). Whole cache lines. */
export function ownSlice({ trainedEnd, replacedEnd }: ParameterLayout, workers: number, rank: number): Slice {
  const slice = (from: number, to: number): Range => {
    const lines = piece((to - from) / LINE, workers, rank);
    return { start: (from + lines.start * LINE) * FLOAT_BYTES, count: lines.count * LINE * FLOAT_BYTES };
  };
  return { trained: slice(0, trainedEnd), replaced: slice(trainedEnd, replacedEnd) };
}

/** Applies gradient slots to weights by the WebAssembly kernels. */
export class Updater {
  /** The arena's weights and slots. */
  readonly shared: Target;
  readonly #kernels: Kernels;
  readonly #gradients: number;
  /** Bytes from one gradient slot, or one replica, to the next. */
  readonly #stride: number;
  readonly #trainedBytes: number;

  constructor(arena: Arena, kernels: Kernels, { trainedEnd, replacedEnd }: ParameterLayout) {
    this.#kernels = kernels;
    this.shared = { weights: arena.segment('weights').offset, slots: arena.segment('slots').offset };
    this.#gradients = arena.segment('gradients').offset;
    this.#stride = replacedEnd * FLOAT_BYTES;
    this.#trainedBytes = trainedEnd * FLOAT_BYTES;
  }

  /** Slots of the `index`-th of those who keep an optimizer state of their own. */
  slotsAt(index: number, optimizer: Optimizer): number {
    return this.shared.slots + index * slotsOf(optimizer) * this.#trainedBytes;
  }

  /**
   * Adds up `count` gradient slots from `first` on and applies the optimizer, in one pass over a slice of the target.
   *
   * @param t updates made before this one, for the learning rate.
   */
  apply(target: Target, [first, count]: [number, number], slice: Slice, optimizer: Optimizer, t: number): void {
    const gradients = this.#gradients + first * this.#stride;
    const { trained, replaced } = slice;
    if (trained.count > 0) this.#descend(target, gradients, count, trained, optimizer, t);
    if (replaced.count > 0) {
      const end = replaced.start + replaced.count;
      this.#kernels.reduceAssign(target.weights, gradients, this.#stride, count, replaced.start, end);
    }
  }

  #descend(target: Target, gradients: number, count: number, range: Range, optimizer: Optimizer, t: number): void {
    const { momentum, nesterov, velocity } = optimizer;
    const rate = learningRateAt(optimizer, t);
    const [from, to] = [range.start, range.start + range.count];
    if (momentum === 0) {
      this.#kernels.reduceSgd(target.weights, gradients, this.#stride, count, from, to, -rate);
      return;
    }
    const [gradientScale, velocityScale] = velocity === 'step' ? [-rate, 1] : [1, -rate];
    this.#kernels.reduceSgdMomentum(
      target.weights,
      target.slots,
      gradients,
      this.#stride,
      count,
      from,
      to,
      gradientScale,
      velocityScale,
      momentum,
      nesterov,
    );
  }
}
