import type { Value } from '../graph/value.js';

/** What `alpha` and `beta` of a unary operator are: ONNX has defaults of its own for each. Undefined if they are no constants. */
export function parametersOf({ op, attrs, inputs }: Value): [alpha: number, beta: number] | undefined {
  if (op === 'Clip') {
    const [, low, high] = inputs;
    if ([low, high].some((bound) => bound && bound.splat === undefined)) return undefined;
    return [low?.splat ?? -FLOAT_MAX, high?.splat ?? FLOAT_MAX];
  }
  const [alpha, beta] = DEFAULTS[op] ?? [0, 0];
  return [Number(attrs.alpha ?? alpha), Number(attrs.beta ?? attrs.gamma ?? beta)];
}

/** ONNX operators, version 1.17, by name. */
const DEFAULTS: Record<string, [alpha: number, beta: number]> = {
  HardSigmoid: [0.2, 0.5],
  Elu: [1, 0],
  Selu: [1.6732631921768188, 1.0507010221481323],
  LeakyRelu: [0.01, 0],
};
const FLOAT_MAX = 3.4028234663852886e38;
