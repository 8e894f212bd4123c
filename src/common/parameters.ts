/** Where each weight of the model stands in the arena's vector of parameters, in a gradient slot and in an optimizer slot. */

import type { Piece } from './pieces.js';
import { sizeOf } from './shapes.js';

/**
 * What a step does to a weight: `trained` weights descend along their gradient, `replaced` ones get a value that the step
 * program computes (batch norm's moving averages), `fixed` ones stay.
 */
export type WeightRole = 'trained' | 'replaced' | 'fixed';

export interface Parameter {
  /** Index in `model.weights`. */
  index: number;
  name: string;
  /** Of the weight, also where this is a piece of it. */
  shape: number[];
  role: WeightRole;
  /** Set where a matrix, or each piece of it, stands transposed. */
  transposed?: true;
  /** Set where a weight stands in pieces, each beside those of other weights that the same shard has. */
  piece?: Piece;
  /** Number of values. */
  size: number;
  /** First value in the vector. */
  offset: number;
}

export interface ParameterLayout {
  /** In the order of the vector: trained, replaced, fixed. */
  parameters: Parameter[];
  /** Values before this one belong to trained weights, with padding. */
  trainedEnd: number;
  /** Values from `trainedEnd` to here belong to replaced weights, with padding. */
  replacedEnd: number;
  /** Length of the whole vector, with padding. */
  length: number;
}

/** Floats on a cache line: parameters start on a line of their own, so that slices of two workers never share one. */
export const LINE = 16;

/** Weights that are cut along their units, a piece for each shard: axes of the weights as they are in the model, by index in `model.weights`. */
export interface WeightCut {
  shards: number;
  axes: ReadonlyMap<number, number>;
}

/** A weight of the model, before it has a place. */
export type Weight = Omit<Parameter, 'size' | 'offset' | 'piece'>;

/**
 * Lays out the weights of a model, those that a step writes first.
 *
 * @param cut weights that stand in pieces: behind those that are not cut first all pieces of the first shard, and so on.
 */
export function layOutParameters(weights: readonly Weight[], cut?: WeightCut): ParameterLayout {
  const parameters: Parameter[] = [];
  let end = 0;
  const pieces: readonly (Weight & { piece?: Piece })[] = cut ? inPieces(weights, cut) : weights;
  const place = (role: WeightRole) => {
    for (const weight of pieces.filter((w) => w.role === role)) {
      const size = sizeOf(weight.shape) / (weight.piece?.count ?? 1);
      parameters.push({ ...weight, size, offset: end });
      end += Math.ceil(size / LINE) * LINE;
    }
    return end;
  };
  return { parameters, trainedEnd: place('trained'), replacedEnd: place('replaced'), length: place('fixed') };
}

/** An axis of a matrix, as it is of the transpose. */
export function otherAxis(axis: number): number {
  return 1 - axis;
}

function inPieces(weights: readonly Weight[], { shards: count, axes }: WeightCut): (Weight & { piece?: Piece })[] {
  const pieces = Array.from({ length: count }, (_, index) =>
    weights.flatMap((weight) => {
      const axis = axes.get(weight.index);
      return axis === undefined ? [] : [{ ...weight, piece: { axis, index, count } }];
    }),
  );
  return [...weights.filter(({ index }) => !axes.has(index)), ...pieces.flat()];
}

/** @throws Error if the layout has no weight of that index, or no such piece of it. */
export function parameterAt({ parameters }: ParameterLayout, index: number, piece?: number): Parameter {
  const parameter = parameters.find((p) => p.index === index && p.piece?.index === piece);
  if (!parameter) throw new Error(`the model has no weight ${index}${piece === undefined ? '' : `, piece ${piece}`}`);
  return parameter;
}
