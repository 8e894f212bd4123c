import { PER_OPERATOR } from '../expected-time.js';
import { productsOf } from '../graph/products.js';
import { sizeOf } from '../graph/shapes.js';
import type { Value } from '../graph/value.js';

/**
 * Nanoseconds, measured on one core, with tapes and without, for dense networks small enough to be in doubt; `expected-time` has those of
 * large ones, whose products are faster. Only their ratios matter.
 */
const RUNTIME_PER_PRODUCT = 0.022;
const RUNTIME_PER_ELEMENT = 0.06;
const RUNTIME_PER_TRANSCENDENTAL = 1.5;
/** A run of a program, whatever is in it. */
const RUNTIME_PER_RUN = 2_500;
const TAPE_PER_OPERATOR = 20;
const TAPE_PER_PRODUCT = 0.07;
const TAPE_PER_ELEMENT = 0.4;
/** Computed four at a time. */
const TAPE_PER_TRANSCENDENTAL = 2.5;
/** Computed one by one. */
const TAPE_PER_SLOW_TRANSCENDENTAL = 10;

const FREE = new Set(['Input', 'Constant', 'Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);
const TRANSCENDENTAL = new Set(['Exp', 'Log', 'Sigmoid', 'Softmax']);
const SLOW_TRANSCENDENTAL = new Set(['Tanh', 'Softplus', 'Elu', 'Selu', 'Pow']);

/** Whether a tape is expected to be faster than ONNX Runtime with these operators. */
export function isSmall(order: readonly Value[]): boolean {
  let [tape, runtime] = [0, RUNTIME_PER_RUN];
  for (const value of order) {
    if (FREE.has(value.op)) continue;
    const [products, elements] = [productsOf(value), elementsOf(value)];
    const [runtimeElement, tapeElement] = perElement(value);
    runtime += PER_OPERATOR + products * RUNTIME_PER_PRODUCT + elements * runtimeElement;
    tape += TAPE_PER_OPERATOR + products * TAPE_PER_PRODUCT + elements * tapeElement;
  }
  return tape < runtime;
}

/** A reduction reads more than it writes. */
function elementsOf({ inputs, shape }: Value): number {
  return Math.max(sizeOf(shape), ...inputs.slice(0, 1).map((input) => sizeOf(input.shape)));
}

function perElement({ op }: Value): [runtime: number, tape: number] {
  if (TRANSCENDENTAL.has(op)) return [RUNTIME_PER_TRANSCENDENTAL, TAPE_PER_TRANSCENDENTAL];
  if (SLOW_TRANSCENDENTAL.has(op)) return [RUNTIME_PER_TRANSCENDENTAL, TAPE_PER_SLOW_TRANSCENDENTAL];
  return [RUNTIME_PER_ELEMENT, TAPE_PER_ELEMENT];
}
