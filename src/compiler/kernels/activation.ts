/** The activations that tfjs fuses into matrix products and convolutions. */
import { clip, unary } from '../graph/elementwise.js';
import type { Value } from '../graph/value.js';
import { elementwise } from './elementwise.js';

export function applyActivation(x: Value, activation: string | null | undefined, alpha?: Value, leak?: number): Value {
  switch (activation) {
    case null:
    case undefined:
    case 'linear':
      return x;
    case 'relu':
      return unary('Relu', x);
    case 'relu6':
      return clip(x, 0, 6);
    case 'elu':
      return unary('Elu', x, { alpha: 1 });
    case 'sigmoid':
      return unary('Sigmoid', x);
    case 'leakyrelu':
      return unary('LeakyRelu', x, { alpha: leak ?? 0.2 });
    case 'prelu':
      return elementwise.Prelu?.({ x, ...(alpha && { alpha }) }, {}, x.graph) as Value;
    default:
      throw new RangeError(`fused activation '${activation}' is not supported`);
  }
}
