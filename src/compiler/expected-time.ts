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
const FIXED = 60_000;

/** A further meeting in the middle of a step, and another run of a program behind it. */
const PER_STAGE = 20_000;
/** A value that shards exchange: written, read by others and put where the next stage finds it. */
const PER_EXCHANGED = 3.3;

const FREE = new Set(['Input', 'Constant', 'Expand', 'Identity', 'Reshape', 'Transpose']);

/** Nanoseconds that an update takes with so many workers, each with a shard of the mini-batch. */
export function expectedTime(order: readonly Value[], parameters: number, workers: number): number {
  const divisible = order.reduce((sum, value) => sum + nanosecondsOf(value), 0);
  return workers === 1 ? divisible : divisible / workers + FIXED + PER_PARAMETER * parameters;
}

/** Nanoseconds that an update takes with a worker for each shard of units, of which `order` is the program. */
export function expectedUnitTime(order: readonly Value[], shards: number): number {
  let time = FIXED;
  let stages = 0;
  const stageOf = new Map<Value, number>();
  for (const value of order) {
    const isExchange = value.op in EXCHANGED;
    const before = value.inputs.reduce((most, input) => Math.max(most, stageOf.get(input) as number), 0);
    const stage = before + Number(isExchange);
    stageOf.set(value, stage);
    stages = Math.max(stages, stage);
    time += isExchange ? exchanged(value, shards) * PER_EXCHANGED : nanosecondsOf(value);
  }
  return time + stages * PER_STAGE;
}

/** How many values a shard reads, for each that it then has. */
const EXCHANGED: Readonly<Record<string, (shards: number) => number>> = {
  AllGather: () => 1,
  AllReduce: (shards) => shards,
  ReduceScatter: (shards) => shards,
};

function exchanged({ op, shape }: Value, shards: number): number {
  return sizeOf(shape) * (EXCHANGED[op] as (shards: number) => number)(shards);
}

function nanosecondsOf(value: Value): number {
  const elements = FREE.has(value.op) ? 0 : sizeOf(value.shape);
  return productsOf(value) * PER_PRODUCT + elements * PER_ELEMENT;
}
