/** What is known to a program before it computes anything, its inputs, constants, and what shards exchange; and what can be computed late. */
import { sizeOf } from './shapes.js';
import type { Value } from './value.js';

const EXCHANGES = new Set(['AllReduce', 'AllGather', 'ReduceScatter']);

/** Where shards meet. */
export function isExchange({ op }: Value): boolean {
  return EXCHANGES.has(op);
}

/** Known to every step that can use it, without being carried. */
export function isAtHand(value: Value): boolean {
  return value.op === 'Input' || value.op === 'Constant' || isExchange(value);
}

/** Whether it takes no less memory to keep a value than what it is made of: then it is computed when it is first used. */
export function canWait(value: Value): boolean {
  const { op, shape, inputs } = value;
  if (isExchange(value) || op.startsWith('#')) return false;
  const sizes = inputs.filter((input) => !isAtHand(input)).map((input) => sizeOf(input.shape));
  return sizes.reduce((a, b) => a + b, 0) <= 1.1 * sizeOf(shape);
}
