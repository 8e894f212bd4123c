/**
 * Mean and variance over the rows of all shards with one meeting in place of two. Each shard adds up its own rows and the squares
 * of their deviations from its own mean; from both of all shards follow those of the mini-batch (Chan, Golub and LeVeque, "Updating
 * formulae and a pairwise algorithm for computing sample variances", 1979; the worker does it, see `Totals`). Deviations from the
 * mini-batch's mean are those from the shard's own, which stay, and the same small number for every row: 'Recenter' (see `recenter`).
 */
import { mul, sub } from '../graph/elementwise.js';
import { concat, reshape, slice } from '../graph/layout.js';
import { recenter } from '../graph/recenter.js';
import { isDeviation } from '../graph/reduction.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';
import type { Pair } from './pairs.js';
import type { Placed } from './placement.js';
import { isSharded } from './placement.js';
import type { ShardProgram } from './shard-program.js';

/** The nodes of a variance over some axes of x, the rows among them: sum x, x - (sum x) / n, and the sum of the squares of that. */
export interface Moments {
  x: Pair;
  sum: Pair;
  deviation: Pair;
  squares: Pair;
}

/** The variances over rows, by each of their three nodes. */
export function findMoments(order: readonly Pair[]): Map<Pair, Moments> {
  const found = new Map<Pair, Moments>();
  for (const squares of order) {
    const moments = momentsOf(squares);
    // A sum may belong to one variance only: each has its own way to be placed.
    if (!moments || found.has(moments.sum) || found.has(moments.deviation)) continue;
    for (const pair of [moments.sum, moments.deviation, squares]) found.set(pair, moments);
  }
  return found;
}

function momentsOf(squares: Pair): Moments | undefined {
  const [square] = squares.inputs;
  if (squares.value.op !== 'ReduceSum' || square?.value.op !== 'Mul' || square.inputs[0] !== square.inputs[1])
    return undefined;
  const [deviation] = square.inputs;
  if (deviation?.value.op !== 'Sub') return undefined;
  const [x, subtracted] = deviation.inputs as [Pair, Pair];
  const axes = squares.value.attrs.axes as number[];
  if (x.rowAxis === undefined || !axes.includes(x.rowAxis)) return undefined;
  if (deviation.value.dtype !== 'float32' || !isDeviation(deviation.value, axes)) return undefined;
  const mean = subtracted.value.op === 'Reshape' ? (subtracted.inputs[0] as Pair) : subtracted;
  return { x, sum: mean.inputs[0] as Pair, deviation, squares };
}

/** Places the three nodes of each variance. */
export class MomentsPlacer {
  readonly #program: ShardProgram;
  readonly #moments: ReadonlyMap<Pair, Moments>;
  readonly #made = new Map<Moments, { sum: Placed; deviation: Placed; squares: Placed }>();

  constructor(program: ShardProgram, moments: ReadonlyMap<Pair, Moments>) {
    this.#program = program;
    this.#moments = moments;
  }

  /** undefined if it is none of them, or its rows do not lie with the shards. */
  place(pair: Pair): Placed | undefined {
    const moments = this.#moments.get(pair);
    if (!moments) return undefined;
    const x = this.#program.placedOf(moments.x);
    if (!isSharded(x)) return undefined;
    let made = this.#made.get(moments);
    if (!made) {
      made = this.#make(moments, x.value, x.distribution.outer);
      this.#made.set(moments, made);
    }
    if (pair === moments.sum) return made.sum;
    return pair === moments.deviation ? made.deviation : made.squares;
  }

  /**
   * From the shard's own rows: the sum is a part; deviations are those from its own mean, recentered; squares are known once all have met.
   *
   * @param x of this shard.
   */
  #make({ sum, deviation, squares, x: ofBatch }: Moments, x: Value, outer: number | undefined) {
    const program = this.#program;
    const { graph } = program;
    const axes = sum.value.attrs.axes as number[];
    const channels = sizeOf(sum.value.shape);
    const count = sizeOf(x.shape) / channels;
    const wholeCount = sizeOf(ofBatch.value.shape) / channels;

    const ownSum = program.emit(sum, [x]);
    const wide = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    const meanOf = (total: Value, n: number) => reshape(mul(total, graph.splat(1 / n, [])), wide);
    const ownMean = meanOf(ownSum, count);
    const ownDeviation = program.emit(deviation, [x, ownMean]);
    const square = program.emit(squares.inputs[0] as Pair, [ownDeviation, ownDeviation]);
    const ownSquares = program.emit(squares, [square]);
    const parts = [reshape(ownSum, [channels]), reshape(ownSquares, [channels]), graph.splat(count, [1])];
    const total = program.allReduce(concat(parts, 0), 'moments');
    const totalOf = (begin: number, { value }: Pair) => reshape(slice(total, [begin], [channels]), value.shape);

    const wholeSum = totalOf(0, sum);
    const offset = sub(ownMean, meanOf(wholeSum, wholeCount));
    return {
      sum: program.partial(ownSum, 'sum', () => wholeSum),
      deviation: program.sharded(recenter(ownDeviation, offset), deviation, outer),
      squares: program.replicated(totalOf(channels, squares)),
    };
  }
}
