/** The program of one shard of units while it is being made: what it has of each value, and where shards have to meet. */
import { cast, reshape } from '../../graph/layout.js';
import { type Attrs, Graph, type Value } from '../../graph/value.js';
import { NotPartitionable } from '../pairs.js';
import type { UnitCut } from './unit-cut.js';

/** What a shard has of a value of the mini-batch's program. */
export type Distribution =
  | { kind: 'replicated' }
  /** An equal piece of it along `axis`: the shard's own units. */
  | { kind: 'sharded'; axis: number }
  /** One summand: those of all shards add up to it. `makeWhole` does so, where there is a better way than exchanging it. */
  | { kind: 'partial'; makeWhole?: (() => Value) | undefined };

export interface Placed {
  /** In the shard's program. */
  readonly value: Value;
  /** In the mini-batch's. */
  readonly source: Value;
  readonly distribution: Distribution;
}

/** What a shard does of the node `source`, given how its inputs are placed; undefined where it needs whole inputs. */
export type UnitRule = (source: Value, inputs: readonly Placed[], program: UnitProgram) => Placed | undefined;

/** Name of the input that is the number of the shard. */
export const SHARD = 'shard';

export class UnitProgram {
  readonly graph = new Graph();
  readonly shards: number;
  readonly cut: UnitCut;
  readonly #placed = new Map<Value, Placed>();
  readonly #wholes = new Map<Value, Value>();
  readonly #exchanges = new Map<string, Value>();

  constructor(shards: number, cut: UnitCut) {
    this.shards = shards;
    this.cut = cut;
  }

  place(placed: Placed): void {
    this.#placed.set(placed.source, placed);
  }

  /** A sum that has been exchanged by now is as good as any other value that all shards have. */
  placedOf(source: Value): Placed {
    const placed = this.#placed.get(source) as Placed;
    const whole = placed.distribution.kind === 'partial' ? this.#wholes.get(source) : undefined;
    return whole ? this.replicated(source, whole) : placed;
  }

  /** The node of `source` on other inputs, with the shape of a piece along `axis`, if one is given. */
  emit(source: Value, inputs: readonly Value[], axis?: number): Value {
    const { op, attrs, dtype } = source;
    const shape = axis === undefined ? source.shape : this.pieceShape(source.shape, axis);
    const own: Attrs = op === 'Reshape' || op === 'Expand' ? { ...attrs, shape } : attrs;
    return this.graph.node(op, inputs, own, { shape, dtype });
  }

  /** @throws NotPartitionable if the axis cannot be cut into equal pieces. */
  pieceShape(shape: readonly number[], axis: number): number[] {
    return shape.map((n, i) => {
      if (i !== axis) return n;
      if (n % this.shards !== 0) throw new NotPartitionable(`has ${n} units, which ${this.shards} shards cannot share`);
      return n / this.shards;
    });
  }

  replicated(source: Value, value: Value): Placed {
    return { source, value, distribution: { kind: 'replicated' } };
  }

  sharded(source: Value, value: Value, axis: number): Placed {
    return { source, value, distribution: { kind: 'sharded', axis } };
  }

  partial(source: Value, value: Value, makeWhole?: () => Value): Placed {
    return { source, value, distribution: { kind: 'partial', makeWhole } };
  }

  /** All of a value, for which shards meet unless every one has it. */
  wholeOf({ source, value, distribution }: Placed): Value {
    if (distribution.kind === 'replicated') return value;
    const known = this.#wholes.get(source);
    if (known) return known;
    const whole =
      distribution.kind === 'sharded'
        ? this.#exchange('AllGather', value, { axis: distribution.axis }, source.shape)
        : (distribution.makeWhole?.() ?? this.#exchange('AllReduce', value, { reduction: 'sum' }, source.shape));
    this.#wholes.set(source, whole);
    return whole;
  }

  /** Whether all of a value is at hand without a further meeting. */
  isWhole({ source, distribution }: Placed): boolean {
    return distribution.kind === 'replicated' || this.#wholes.has(source);
  }

  /** The shard's piece of a value of which it has a summand: the sum over the shards. */
  scatter({ source, value }: Placed, axis: number): Value {
    return this.#exchange('ReduceScatter', value, { axis }, this.pieceShape(source.shape, axis));
  }

  /** The shard's piece of a value of which every shard has all. */
  own(value: Value, axis: number): Value {
    const { shape, dtype } = value;
    const piece = this.pieceShape(shape, axis);
    const blocks = reshape(value, [...shape.slice(0, axis), this.shards, ...piece.slice(axis)]);
    const shard = this.graph.input(SHARD, { shape: [], dtype: 'int32' });
    return this.graph.node('Gather', [blocks, shard], { axis }, { shape: piece, dtype });
  }

  /** Numbered in the order in which they are asked for, which is the same for all shards. */
  #exchange(op: string, value: Value, attrs: Attrs, shape: readonly number[]): Value {
    if (value.dtype !== 'float32') {
      return cast(this.#exchange(op, cast(value, 'float32'), attrs, shape), value.dtype);
    }
    const key = `${op} ${value.id} ${attrs.axis}`;
    const known = this.#exchanges.get(key);
    if (known) return known;
    const numbered = { ...attrs, index: this.#exchanges.size };
    const made = this.graph.node(op, [value], numbered, { shape, dtype: 'float32' });
    this.#exchanges.set(key, made);
    return made;
  }

  /** A value that all shards have as a summand that adds up to it: exactly, for 2, 4, 8 ... shards. */
  share(value: Value): Value {
    const share = this.graph.splat(1 / this.shards, []);
    return this.graph.node('Mul', [value, share], {}, { shape: value.shape, dtype: value.dtype });
  }
}
