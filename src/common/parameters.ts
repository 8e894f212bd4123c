/** Where each weight of the model stands in the arena's vector of parameters, in a gradient slot and in an optimizer slot. */

export interface Parameter {
  /** Index in `model.weights`. */
  index: number;
  name: string;
  shape: number[];
  /** Number of values. */
  size: number;
  /** First value in the vector. */
  offset: number;
  /** Descended by the optimizer; otherwise replaced by what the step program computes, if it does. */
  trainable: boolean;
}

export interface ParameterLayout {
  parameters: Parameter[];
  /** Values from 0 to here belong to trainable parameters, with padding. */
  trainableLength: number;
  /** Length of the whole vector, with padding. */
  length: number;
}

/** Floats on a cache line: parameters start on a line of their own, so that slices of two workers never share one. */
export const LINE = 16;

/** Lays out trainable parameters first, then the others. */
export function layOutParameters(weights: Omit<Parameter, 'size' | 'offset'>[]): ParameterLayout {
  const parameters: Parameter[] = [];
  let end = 0;
  const place = (weight: Omit<Parameter, 'size' | 'offset'>) => {
    const size = weight.shape.reduce((a, b) => a * b, 1);
    parameters.push({ ...weight, size, offset: end });
    end += Math.ceil(size / LINE) * LINE;
  };
  weights.filter((w) => w.trainable).forEach(place);
  const trainableLength = end;
  weights.filter((w) => !w.trainable).forEach(place);
  return { parameters, trainableLength, length: end };
}
