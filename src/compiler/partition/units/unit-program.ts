/** The program of one shard of units while it is being made: what it has of each value, and where shards have to meet. */
import { reshape } from '../../graph/layout.js';
import { type Attrs, Graph, type Value } from '../../graph/value.js';
import { NotPartitionable } from '../pairs.js';
import type { UnitCut } from './unit-cut.js';

/** What a shard has of a value of the mini-batch's program. */
export type Holding =
  | { kind: 'whole' }
  /** An equal piece of it along `axis`: the shard's own units. */
  | { kind: 'piece'; axis: number }
  /** One summand: those of all shards add up to it. */
  | { kind: 'part' };

export interface Held {
  /** In the shard's program. */
  readonly value: Value;
  /** In the mini-batch's. */
  readonly source: Value;
  readonly holding: Holding;
  /** Makes the whole value, where there is a better way than exchanging this one. */
  readonly makeWhole?: (() => Value) | undefined;
}

/** Name of the input that is the number of the shard. */
export const SHARD = 'shard';

export class UnitProgram {
  readonly graph = new Graph();
  readonly shards: number;
  readonly cut: UnitCut;
  readonly #held = new Map<Value, Held>();
  readonly #wholes = new Map<Value, Value>();
  readonly #exchanges = new Map<string, Value>();

  constructor(shards: number, cut: UnitCut) {
    this.shards = shards;
    this.cut = cut;
  }

  hold(held: Held): void {
    this.#held.set(held.source, held);
  }

  heldOf(source: Value): Held {
    return this.#held.get(source) as Held;
  }

  /** The node of `source` on other inputs, with the shape of a piece along `axis`, if one is given. */
  emit(source: Value, inputs: readonly Value[], axis?: number): Value {
    const { op, attrs, dtype } = source;
    const shape = axis === undefined ? source.shape : this.pieceShape(source.shape, axis);
    const own: Attrs = op === 'Reshape' || op === 'Expand' ? { ...attrs, shape } : attrs;
    return this.graph.node(op, inputs, own, { shape, dtype });
  }

  /** @throws NotPartitionable if there are fewer, or more, than equal pieces. */
  pieceShape(shape: readonly number[], axis: number): number[] {
    return shape.map((n, i) => {
      if (i !== axis) return n;
      if (n % this.shards !== 0) throw new NotPartitionable(`has ${n} units, which ${this.shards} shards cannot share`);
      return n / this.shards;
    });
  }

  whole(source: Value, value: Value): Held {
    return { source, value, holding: { kind: 'whole' } };
  }

  piece(source: Value, value: Value, axis: number): Held {
    return { source, value, holding: { kind: 'piece', axis } };
  }

  part(source: Value, value: Value, makeWhole?: () => Value): Held {
    return { source, value, holding: { kind: 'part' }, makeWhole };
  }

  /** All of a value, for which shards meet unless every one has it. */
  wholeOf({ source, value, holding, makeWhole }: Held): Value {
    if (holding.kind === 'whole') return value;
    const known = this.#wholes.get(source);
    if (known) return known;
    const whole = makeWhole?.() ?? this.#gatherOrReduce(value, source, holding);
    this.#wholes.set(source, whole);
    return whole;
  }

  /** Whether all of a value is at hand without a further meeting. */
  isWhole({ source, holding }: Held): boolean {
    return holding.kind === 'whole' || this.#wholes.has(source);
  }

  /** The shard's piece of a value of which it has a summand: the sum over the shards. */
  scatter({ source, value }: Held, axis: number): Value {
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

  #gatherOrReduce(value: Value, source: Value, holding: Holding): Value {
    if (holding.kind === 'piece') return this.#exchange('AllGather', value, { axis: holding.axis }, source.shape);
    return this.#exchange('AllReduce', value, { reduction: 'sum' }, source.shape);
  }

  /** Numbered in the order in which they are asked for, which is the same for all shards. */
  #exchange(op: string, value: Value, attrs: Attrs, shape: readonly number[]): Value {
    if (value.dtype !== 'float32') throw new NotPartitionable(`would exchange values of type ${value.dtype}`, value);
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
