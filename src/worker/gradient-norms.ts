import type { Arena } from '../common/arena.js';
import { type NormBlock, normBlocks } from '../common/norm-blocks.js';
import type { Optimizer } from '../common/optimizers/index.js';
import type { ParameterLayout } from '../common/parameters.js';
import type { Range } from '../common/shards.js';
import type { Kernels } from '../kernels/kernels.js';

/** Norms of the reduced gradient, from sums of squares of blocks that any worker may have worked out. */
export class GradientNorms {
  readonly #kernels: Kernels;
  readonly #blocks: NormBlock[];
  readonly #squares: Float64Array;
  readonly #parameters: number;

  constructor(arena: Arena, kernels: Kernels, parameters: ParameterLayout) {
    this.#kernels = kernels;
    this.#blocks = normBlocks(parameters);
    this.#parameters = parameters.parameters.filter(({ role }) => role === 'trained').length;
    const { offset, length } = arena.segment('squares');
    this.#squares = new Float64Array(arena.memory.buffer, offset, length / 2);
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  /**
   * Sums the gradient slots of some blocks into the first slot, and notes the sums of squares.
   *
   * @param table address of the table of the slots
   * @param region which copy of the notes to write: workers that go at their own pace have one each
   */
  reduce(table: number, count: number, blocks: Range, region: number): void {
    for (let i = blocks.start; i < blocks.start + blocks.count; i++) {
      const { from, to } = this.#blocks[i] as NormBlock;
      const square = this.#kernels.reduceSquares(table, count, from, to);
      this.#squares[region * this.#blocks.length + i] = square;
    }
  }

  /**
   * What the sum of each trained parameter's gradients is multiplied by to get their mean, clipped: clip / max(clip, norm), as in Keras.
   *
   * @param share one over the number of gradients that were added up.
   */
  scales({ clipNorm, globalClipNorm }: Optimizer, region: number, share: number): number[] {
    const squares = new Array<number>(this.#parameters).fill(0);
    this.#blocks.forEach(({ parameter }, i) => {
      const square = this.#squares[region * this.#blocks.length + i] as number;
      squares[parameter] = (squares[parameter] as number) + square;
    });
    const scale = (clip: number, square: number) => (share * clip) / Math.max(clip, share * Math.sqrt(square));
    if (clipNorm !== undefined) return squares.map((square) => scale(clipNorm, square));
    const whole = squares.reduce((a, b) => a + b, 0);
    return squares.map(() => scale(globalClipNorm as number, whole));
  }
}
