/** The program of one shard while it is being made: nodes at the shard's rows, and where shards have to meet. */
import type { Combination, Reduction } from '../../common/program.js';
import { mul } from '../graph/elementwise.js';
import { cast } from '../graph/layout.js';
import { type Attrs, Graph, type Value } from '../graph/value.js';
import { NotPartitionable, type Pair } from './pairs.js';
import { isPartial, isSharded, type Placed } from './placement.js';

/** What batch-wide values are: those of the mini-batch, or those of each shard as if it were a mini-batch. */
export type BatchStatistics = 'batch' | 'shard';

export interface Cut {
  rows: number;
  batchRows: number;
  statistics: BatchStatistics;
}

export class ShardProgram {
  readonly graph = new Graph();
  readonly batchRows: number;
  readonly #rows: number;
  readonly #statistics: BatchStatistics;
  readonly #placed = new Map<Pair, Placed>();
  readonly #totals = new Map<string, Value>();

  constructor({ rows, batchRows, statistics }: Cut) {
    this.batchRows = batchRows;
    this.#rows = rows;
    this.#statistics = statistics;
  }

  place(pair: Pair, placed: Placed): void {
    this.#placed.set(pair, placed);
  }

  placedOf(pair: Pair): Placed {
    return this.#placed.get(pair) as Placed;
  }

  /** The shape that a pair's value has in this shard. */
  shapeOf({ value, rowAxis }: Pair): number[] {
    return value.shape.map((n, axis) => (axis === rowAxis ? this.scaled(n) : n));
  }

  /** A number of elements that is a multiple of the mini-batch's rows, for the shard's rows. */
  scaled(n: number): number {
    return (n / this.batchRows) * this.#rows;
  }

  /** The node of `pair` on other inputs, with the shard's shape. */
  emit(pair: Pair, inputs: readonly Value[], attrs: Attrs = pair.value.attrs): Value {
    const { op, dtype } = pair.value;
    const shape = this.shapeOf(pair);
    const own = op === 'Reshape' || op === 'Expand' ? { ...attrs, shape } : attrs;
    return this.graph.node(op, inputs, own, { shape, dtype });
  }

  replicated(value: Value): Placed {
    return { value, distribution: { kind: 'replicated' }, whole: () => value };
  }

  sharded(value: Value, pair: Pair, outer: number | undefined): Placed {
    const axis = pair.rowAxis as number;
    const whole = (): never => {
      throw new NotPartitionable(`needs all rows of a tensor at once (after ${pair.value.op})`, pair.value);
    };
    return { value, distribution: { kind: 'sharded', axis, outer }, whole };
  }

  /** @param whole makes the total, where there is a better way than exchanging this very value. */
  partial(value: Value, reduction: Reduction, whole?: () => Value): Placed {
    let total: Value | undefined;
    const make = whole ?? (() => this.allReduce(value, reduction));
    return {
      value,
      distribution: { kind: 'partial', reduction },
      whole: () => {
        total ??= make();
        return total;
      },
    };
  }

  /** What a node works on: this shard's rows, or all there is. */
  operand(placed: Placed): Value {
    return isSharded(placed) ? placed.value : placed.whole();
  }

  /** The value as a part that adds up to it, or undefined if it has none. */
  asPart(placed: Placed, reduction: Reduction): Value | undefined {
    if (isPartial(placed)) return placed.distribution.reduction === reduction ? placed.value : undefined;
    if (isSharded(placed)) return undefined;
    if (reduction === 'max' || reduction === 'min') return placed.value;
    return reduction === 'sum' && placed.value.dtype === 'float32' ? this.weighted(placed.value) : undefined;
  }

  /** The shard's share n_i/N of a value that every shard has. */
  weighted(value: Value): Value {
    return mul(value, this.graph.splat(this.#rows / this.batchRows, []));
  }

  /** The reduction of what all shards have: here they meet. With statistics of each shard's own, an estimate from it alone. */
  allReduce(value: Value, reduction: Combination): Value {
    if (value.dtype !== 'float32') return cast(this.allReduce(cast(value, 'float32'), reduction), value.dtype);
    if (this.#statistics === 'batch') return this.#meet(value, reduction);
    return reduction === 'sum' ? mul(value, this.graph.splat(this.batchRows / this.#rows, [])) : value;
  }

  /** Numbered, so that all shards of a mini-batch exchange in the same order whatever their programs are simplified to. */
  #meet(value: Value, reduction: Combination): Value {
    const key = `${reduction} ${value.id}`;
    const known = this.#totals.get(key);
    if (known) return known;
    const attrs = { reduction, index: this.#totals.size };
    const total = this.graph.node('AllReduce', [value], attrs, { shape: value.shape, dtype: 'float32' });
    this.#totals.set(key, total);
    return total;
  }
}
