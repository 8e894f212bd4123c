import type { Arena } from '../common/arena.js';
import { learningRateAt, type Optimizer } from '../common/optimizers.js';
import { LINE } from '../common/parameters.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import type { Kernels } from '../kernels/kernels.js';

const FLOAT_BYTES = 4;

/** The part of the parameters that one worker reduces and updates: a reduce-scatter with a sharded optimizer (ZeRO-1). */
export class SliceUpdater {
  readonly #kernels: Kernels;
  readonly #weights: number;
  readonly #slots: number;
  readonly #gradients: number;
  /** Bytes from one gradient slot to the next. */
  readonly #stride: number;
  readonly #trained: Range;
  readonly #replaced: Range;

  constructor(arena: Arena, kernels: Kernels, { parameters, workers, rank }: ReplicaSetup) {
    this.#kernels = kernels;
    this.#weights = arena.segment('weights').offset;
    this.#slots = arena.segment('slots').offset;
    this.#gradients = arena.segment('gradients').offset;
    this.#stride = parameters.replacedEnd * FLOAT_BYTES;
    this.#trained = sliceOf(0, parameters.trainedEnd, workers, rank);
    this.#replaced = sliceOf(parameters.trainedEnd, parameters.replacedEnd, workers, rank);
  }

  /**
   * Adds up the first `shards` gradient slots and applies the optimizer, in one pass over the slice.
   *
   * @param update updates made before this one: t of the learning rate.
   */
  update(optimizer: Optimizer, shards: number, update: number): void {
    const { start, count } = this.#trained;
    if (count > 0) this.#descend(optimizer, shards, start, start + count, update);
    const { start: from, count: bytes } = this.#replaced;
    if (bytes > 0) {
      this.#kernels.reduceAssign(this.#weights, this.#gradients, this.#stride, shards, from, from + bytes);
    }
  }

  #descend(optimizer: Optimizer, shards: number, from: number, to: number, update: number): void {
    const { momentum, nesterov, velocity } = optimizer;
    const rate = learningRateAt(optimizer, update);
    if (momentum === 0) {
      this.#kernels.reduceSgd(this.#weights, this.#gradients, this.#stride, shards, from, to, -rate);
      return;
    }
    const [gradientScale, velocityScale] = velocity === 'step' ? [-rate, 1] : [1, -rate];
    this.#kernels.reduceSgdMomentum(
      this.#weights,
      this.#slots,
      this.#gradients,
      this.#stride,
      shards,
      from,
      to,
      gradientScale,
      velocityScale,
      momentum,
      nesterov,
    );
  }
}

/** Bytes of the slice that `rank` owns between two places of the parameter vector, in whole cache lines. */
function sliceOf(fromValue: number, toValue: number, workers: number, rank: number): Range {
  const lines = piece((toValue - fromValue) / LINE, workers, rank);
  const lineBytes = LINE * FLOAT_BYTES;
  return { start: fromValue * FLOAT_BYTES + lines.start * lineBytes, count: lines.count * lineBytes };
}
