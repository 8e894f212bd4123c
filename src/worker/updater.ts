import { type Arena, FLOAT_BYTES, type Segment } from '../common/arena.js';
import { clipsByNorm } from '../common/norm-blocks.js';
import { type Optimizer, slotsOf } from '../common/optimizers/index.js';
import { LINE, type ParameterLayout } from '../common/parameters.js';
import { piece, type Range } from '../common/shards.js';
import type { KernelPass, Kernels } from '../kernels/kernels.js';
import { GradientNorms } from './gradient-norms.js';
import { optimizerStep } from './optimizer-step.js';

/** Number of the slot in which the gradients of several mini-batches are added up: it stands in front of the first. */
export const ACCUMULATOR = -1;

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
  /** The weights and slots of its memory. */
  readonly own: Target;
  readonly norms: GradientNorms;
  readonly #kernels: Kernels;
  readonly #gradients: number;
  /** Bytes from one gradient slot, or one replica, to the next. */
  readonly #stride: number;
  readonly #trainedBytes: number;
  /** Bytes of each trained parameter. */
  readonly #trained: Range[];
  /** Where new weights are put together. */
  readonly #staging: Segment | undefined;

  /** @param staging memory of this worker's own, where new weights are put before they are copied: see `docs/architecture.md`. */
  constructor(arena: Arena, kernels: Kernels, layout: ParameterLayout, staging?: Segment) {
    this.#kernels = kernels;
    this.#staging = staging?.length ? staging : undefined;
    this.norms = new GradientNorms(arena, kernels, layout);
    this.own = { weights: arena.segment('weights').offset, slots: arena.segment('slots').offset };
    this.#gradients = arena.segment('gradients').offset;
    this.#stride = layout.replacedEnd * FLOAT_BYTES;
    this.#trainedBytes = layout.trainedEnd * FLOAT_BYTES;
    this.#trained = layout.parameters
      .filter(({ role }) => role === 'trained')
      .map(({ offset, size }) => ({ start: offset * FLOAT_BYTES, count: Math.ceil(size / LINE) * LINE * FLOAT_BYTES }));
  }

  /** Slots of the `index`-th of those who keep an optimizer state of their own. */
  slotsAt(index: number, optimizer: Optimizer): number {
    return this.own.slots + index * slotsOf(optimizer) * this.#trainedBytes;
  }

  /**
   * Adds up `count` gradient slots, the first ones, and what the accumulator holds.
   *
   * @param anew whether the accumulator holds nothing yet.
   */
  accumulate(count: number, { trained }: Slice, anew: boolean): void {
    const accumulator = this.#gradients + ACCUMULATOR * this.#stride;
    const [from, slots] = anew ? [this.#gradients, count] : [accumulator, count + 1];
    const { start, count: bytes } = trained;
    this.#kernels.reduceAssign(accumulator, from, this.#stride, slots, start, start + bytes);
  }

  /** Gives weights that are replaced their new values: the sum over gradient slots. */
  replace({ weights }: Target, { start, count }: Range, { replaced }: Slice): void {
    if (replaced.count === 0) return;
    const gradients = this.#gradients + start * this.#stride;
    const end = replaced.start + replaced.count;
    this.#kernels.reduceAssign(weights, gradients, this.#stride, count, replaced.start, end);
  }

  /** First half of an update whose gradient is clipped by its norm: sums slots, and squares, of some blocks. */
  reduceNorms({ start, count }: Range, blocks: Range, region: number): void {
    this.norms.reduce(this.#gradients + start * this.#stride, this.#stride, count, blocks, region);
  }

  /**
   * Adds up gradient slots and descends, in one pass over a slice of the target.
   *
   * @param of the gradient slots.
   * @param t updates made before this one, for the learning rate.
   * @param share what the sum is multiplied by: one over the number of mini-batches that it is the gradient of.
   * @param region where clipping by norm is on, the notes of `reduceNorms` to go by: the sum is in the first slot then.
   */
  apply(
    target: Target,
    of: Range,
    { trained }: Slice,
    optimizer: Optimizer,
    t: number,
    region: number,
    share = 1,
  ): void {
    const gradients = this.#gradients + of.start * this.#stride;
    if (clipsByNorm(optimizer)) {
      const scales = this.norms.scales(optimizer, region, share);
      this.#trained.forEach((parameter, i) => {
        this.#descend(target, gradients, 1, overlap(parameter, trained), optimizer, t, scales[i]);
      });
    } else {
      this.#descend(target, gradients, of.count, trained, optimizer, t, share);
    }
  }

  #descend(
    { weights, slots }: Target,
    gradients: number,
    count: number,
    { start, count: bytes }: Range,
    optimizer: Optimizer,
    t: number,
    scale = 1,
  ): void {
    const end = start + bytes;
    const staging = this.#staging;
    const most = staging ? staging.length * FLOAT_BYTES : bytes;
    for (let from = start; from < end; from += most) {
      const to = Math.min(from + most, end);
      // The kernel adds `from` to it, modulo 2^32.
      const results = staging ? staging.offset - from : weights;
      const pass: KernelPass = [weights, results, slots, this.#trainedBytes, gradients, this.#stride, count, from, to];
      optimizerStep(this.#kernels, optimizer, pass, t, scale);
      if (staging) this.#kernels.copyRuns(weights + from, 0, staging.offset, 0, to - from, 1);
    }
  }
}

function overlap(a: Range, b: Range): Range {
  const start = Math.max(a.start, b.start);
  return { start, count: Math.min(a.start + a.count, b.start + b.count) - start };
}
