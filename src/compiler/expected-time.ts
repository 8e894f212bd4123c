/** What cutting a mini-batch into shards saves and costs, estimated from its program alone: the same on every machine. */
import { productsOf } from './graph/products.js';
import { sizeOf } from './graph/shapes.js';
import type { Value } from './graph/value.js';

/** Nanoseconds, measured on one core and between two; `npm run bench:peers` shows whether what follows from them is right. */
const PER_PRODUCT = 0.022;
const PER_ELEMENT = 0.15;
/** Each shard writes a gradient of its own, which others read, and reads the weights: in the caches of other cores. */
const PER_PARAMETER = 1.6;
/** Two meetings, never quite on time. */
const FIXED = 20_000;

const FREE = new Set(['Input', 'Constant', 'Expand', 'Identity', 'Reshape', 'Transpose']);

/** Nanoseconds that an update takes with so many workers, each with a shard of the mini-batch. */
export function expectedTime(order: readonly Value[], parameters: number, workers: number): number {
  const divisible = order.reduce((sum, value) => sum + nanosecondsOf(value), 0);
  return workers === 1 ? divisible : divisible / workers + FIXED + PER_PARAMETER * parameters;
}

function nanosecondsOf(value: Value): number {
  const elements = FREE.has(value.op) ? 0 : sizeOf(value.shape);
  return productsOf(value) * PER_PRODUCT + elements * PER_ELEMENT;
}
