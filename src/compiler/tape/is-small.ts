import { productsOf } from '../graph/products.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';

/** Nanoseconds, measured on one core, with tapes and without. Their ratio matters, not the machine. */
const RUNTIME_CALL = 2500;
const RUNTIME_PER_PRODUCT = 0.05;
const TAPE_CALL = 40;
const TAPE_PER_PRODUCT = 0.3;
const TAPE_PER_ELEMENT = 1;
const TAPE_PER_TRANSCENDENTAL = 12;

const FREE = new Set(['Input', 'Constant', 'Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);
const TRANSCENDENTAL = new Set(['Exp', 'Log', 'Sigmoid', 'Tanh', 'Softplus', 'Elu', 'Selu', 'Softmax', 'Pow']);

/** Whether a tape is expected to be faster than ONNX Runtime with these operators. */
export function isSmall(order: readonly Value[]): boolean {
  let [tape, runtime] = [0, 0];
  for (const value of order) {
    if (FREE.has(value.op)) continue;
    const products = productsOf(value);
    tape += TAPE_CALL + products * TAPE_PER_PRODUCT + elementsOf(value) * perElement(value);
    runtime += RUNTIME_CALL + products * RUNTIME_PER_PRODUCT;
  }
  return tape < runtime;
}

/** A reduction reads more than it writes. */
function elementsOf({ inputs, shape }: Value): number {
  return Math.max(sizeOf(shape), ...inputs.slice(0, 1).map((input) => sizeOf(input.shape)));
}

function perElement({ op }: Value): number {
  return TRANSCENDENTAL.has(op) ? TAPE_PER_TRANSCENDENTAL : TAPE_PER_ELEMENT;
}
