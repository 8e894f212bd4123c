/** Where each weight of the model stands in the arena's vector of parameters, in a gradient slot and in an optimizer slot. */

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
  shape: number[];
  role: WeightRole;
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

/** Lays out the weights of a model, those that a step writes first. */
export function layOutParameters(weights: Omit<Parameter, 'size' | 'offset'>[]): ParameterLayout {
  const parameters: Parameter[] = [];
  let end = 0;
  const place = (role: WeightRole) => {
    for (const weight of weights.filter((w) => w.role === role)) {
      const size = sizeOf(weight.shape);
      parameters.push({ ...weight, size, offset: end });
      end += Math.ceil(size / LINE) * LINE;
    }
    return end;
  };
  return { parameters, trainedEnd: place('trained'), replacedEnd: place('replaced'), length: place('fixed') };
}

/** @throws Error if the layout has no weight of that index. */
export function parameterAt({ parameters }: ParameterLayout, index: number): Parameter {
  const parameter = parameters.find((p) => p.index === index);
  if (!parameter) throw new Error(`the model has no weight ${index}`);
  return parameter;
}
