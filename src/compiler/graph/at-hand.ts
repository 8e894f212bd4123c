/** What is known to a program before it computes anything: its inputs, constants, and what shards exchange. */
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
