import { type Arena, FLOAT_BYTES, type Segment } from '../common/arena.js';
import { clipsByNorm } from '../common/norm-blocks.js';
import { type Optimizer, slotsOf } from '../common/optimizers/index.js';
import { LINE, type ParameterLayout } from '../common/parameters.js';
import { piece, type Range } from '../common/shards.js';
import { stagesPulled } from '../common/transport.js';
import type { KernelPass, Kernels } from '../kernels/kernels.js';
import { GradientNorms } from './gradient-norms.js';
import { optimizerStep } from './optimizer-step.js';
import { SlotTable, slotAddresses } from './slot-table.js';

/** Number of the slot in which the gradients of several mini-batches are added up: in tables it stands in front of the first. */
export const ACCUMULATOR = -1;

/** How gradients and new weights get from one worker to the others. */
export interface Route {
  /** Where gradients are found: the accumulator, and those of all shards. */
  slots: SlotTable;
  /** Whether new weights are put together in memory of the worker's own first, if it has any for it. */
  stages: boolean;
  /** Copies them from there to where all read them. */
  copy: (target: number, source: number, bytes: number) => void;
}

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
  readonly #accumulator: number;
  readonly #pull: Route;
  #route: Route;
  readonly #trainedBytes: number;
  /** Bytes of each trained parameter. */
  readonly #trained: Range[];
  /** Where new weights are put together. */
  readonly #staging: Segment | undefined;

  /**
   * @param slots segment for the table of gradient slots.
   * @param staging memory of this worker's own, where new weights are put before they are copied: see `docs/architecture.md`.
   */
  constructor(arena: Arena, kernels: Kernels, layout: ParameterLayout, slots: string, staging?: Segment) {
    this.#kernels = kernels;
    this.#staging = staging?.length ? staging : undefined;
    this.norms = new GradientNorms(arena, kernels, layout);
    this.own = { weights: arena.segment('weights').offset, slots: arena.segment('slots').offset };
    this.#accumulator = arena.segment('accumulator').offset;
    this.#pull = {
      slots: new SlotTable(arena, slots, slotAddresses(arena, layout)),
      stages: stagesPulled(layout),
      copy: (target, source, bytes) => kernels.copyRuns(target, 0, source, 0, bytes, 1),
    };
    this.#route = this.#pull;
    this.#trainedBytes = layout.trainedEnd * FLOAT_BYTES;
    this.#trained = layout.parameters
      .filter(({ role }) => role === 'trained')
      .map(({ offset, size }) => ({ start: offset * FLOAT_BYTES, count: Math.ceil(size / LINE) * LINE * FLOAT_BYTES }));
  }

  /** Goes by another route from now on. Default: gradients are read where programs have left them. */
  goBy(route = this.#pull): void {
    this.#route = route;
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
    const [first, slots] = anew ? [0, count] : [ACCUMULATOR, count + 1];
    const { start, count: bytes } = trained;
    this.#kernels.reduceAssign(this.#accumulator, this.#tableFrom(first), slots, start, start + bytes);
  }

  /** Gives weights that are replaced their new values: the sum over gradient slots. */
  replace({ weights }: Target, { start, count }: Range, { replaced }: Slice): void {
    if (replaced.count === 0) return;
    const end = replaced.start + replaced.count;
    this.#kernels.reduceAssign(weights, this.#tableFrom(start), count, replaced.start, end);
  }

  /** First half of an update whose gradient is clipped by its norm: sums slots, and squares, of some blocks. */
  reduceNorms({ start, count }: Range, blocks: Range, region: number): void {
    this.norms.reduce(this.#tableFrom(start), count, blocks, region);
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
    const gradients = this.#tableFrom(of.start);
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
    const { stages, copy } = this.#route;
    const staging = stages ? this.#staging : undefined;
    const most = staging ? staging.length * FLOAT_BYTES : bytes;
    for (let from = start; from < end; from += most) {
      const to = Math.min(from + most, end);
      // The kernel adds `from` to it, modulo 2^32.
      const results = staging ? staging.offset - from : weights;
      const pass: KernelPass = [weights, results, slots, this.#trainedBytes, gradients, count, from, to];
      optimizerStep(this.#kernels, optimizer, pass, t, scale);
      if (staging) copy(weights + from, staging.offset, to - from);
    }
  }

  /** Address of the table of gradient slots from number `first` on. */
  #tableFrom(first: number): number {
    return this.#route.slots.from(first - ACCUMULATOR);
  }
}

function overlap(a: Range, b: Range): Range {
  const start = Math.max(a.start, b.start);
  return { start, count: Math.min(a.start + a.count, b.start + b.count) - start };
}
