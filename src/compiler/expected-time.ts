/** What cutting a mini-batch into shards saves and costs, estimated from its program alone: the same on every machine. */
import { productsOf } from './graph/products.js';
import { sizeOf } from './graph/shapes.js';
import type { Value } from './graph/value.js';

/**
 * Nanoseconds, measured on processors of 2022 and 2024 with AVX-512 (dense networks of 5000 to 6 million parameters, with one worker, with
 * shards of rows and with shards of units). Only their ratios matter, and `npm run bench:peers` shows whether what follows from
 * them is right.
 */
const PER_PRODUCT = 0.0088;
const PER_ELEMENT = 0.3;
/** ONNX Runtime's own work for an operator, which every shard has again. */
export const PER_OPERATOR = 400;
/** A value of the training rows, brought to where the program reads it. */
const PER_GATHERED = 0.18;
/** A parameter, for its optimizer step; workers share them. */
const PER_UPDATED = 0.25;
/** Each shard of rows writes a gradient of its own, which others read, and reads the weights: in the caches of other cores. */
const PER_PARAMETER = 0.35;
/** Two meetings, never quite on time. */
const FIXED = 30_000;

/** A further meeting in the middle of a step, and another run of a program behind it. */
const PER_STAGE = 28_000;
/** A value that shards exchange: written, read by others and put where the next stage finds it. */
const PER_EXCHANGED = 1.3;

/** What is no operator for the runtime, and what only moves elements. */
const NO_OPERATOR = new Set(['Input', 'Constant', 'Identity', 'Reshape']);
const MOVES = new Set([...NO_OPERATOR, 'Expand', 'Transpose']);

/** What a step works on beside its operators. */
export interface StepSize {
  /** Trained parameters. */
  parameters: number;
  /** Values of the rows of a mini-batch. */
  gathered: number;
}

/**
 * Nanoseconds that an update takes with so many workers, each with a shard of the mini-batch.
 *
 * @param order the operators of the whole mini-batch.
 */
export function expectedTime(order: readonly Value[], { parameters, gathered }: StepSize, workers: number): number {
  const divisible = sum(order, workOf) + gathered * PER_GATHERED + parameters * PER_UPDATED;
  const time = divisible / workers + sum(order, overheadOf);
  return workers === 1 ? time : time + FIXED + PER_PARAMETER * parameters;
}

/**
 * Nanoseconds that an update takes with a worker for each shard of units.
 *
 * @param order the operators of one of them.
 */
export function expectedUnitTime(order: readonly Value[], { parameters, gathered }: StepSize, shards: number): number {
  let time = FIXED + gathered * PER_GATHERED + (parameters / shards) * PER_UPDATED;
  let stages = 0;
  const stageOf = new Map<Value, number>();
  for (const value of order) {
    const isExchange = value.op in EXCHANGED;
    const before = value.inputs.reduce((most, input) => Math.max(most, stageOf.get(input) as number), 0);
    const stage = before + Number(isExchange);
    stageOf.set(value, stage);
    stages = Math.max(stages, stage);
    time += isExchange ? exchanged(value, shards) * PER_EXCHANGED : workOf(value) + overheadOf(value);
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

function sum(order: readonly Value[], of: (value: Value) => number): number {
  return order.reduce((total, value) => total + of(value), 0);
}

function workOf(value: Value): number {
  const elements = MOVES.has(value.op) ? 0 : sizeOf(value.shape);
  return productsOf(value) * PER_PRODUCT + elements * PER_ELEMENT;
}

function overheadOf({ op }: Value): number {
  return NO_OPERATOR.has(op) ? 0 : PER_OPERATOR;
}
