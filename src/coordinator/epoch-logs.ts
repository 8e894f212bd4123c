import type { Pass } from '../common/protocol.js';
import type { Split } from '../common/shards.js';
import { activeShards, batchRange } from '../common/shards.js';

/** Where logs stand in the arena. */
export interface LogGeometry {
  /** Loss and metrics of each shard of each step, already times the shard's share of the batch. */
  logs: Float32Array;
  /** Names of loss and metrics. */
  names: string[];
  shards: number;
  /** What the shards share: those of few rows may have none. */
  split: Split;
}

/** Adds up shard logs to batch logs, and batch logs to an epoch's means, weighted by rows. */
export class EpochLogs {
  readonly #geometry: LogGeometry;
  readonly #sums: number[];
  #pass: Pass | undefined;
  /** Steps of earlier passes. */
  #before = 0;
  #first = 0;
  #steps = 0;
  #rows = 0;

  constructor(geometry: LogGeometry) {
    this.#geometry = geometry;
    this.#sums = geometry.names.map(() => 0);
  }

  /** Says what the steps that follow are, and which step of the arena's logs the first one is. */
  begin(pass: Pass, first = 0): this {
    this.#pass = pass;
    this.#before = this.#steps;
    this.#first = first;
    return this;
  }

  /** Steps taken in so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Steps of the pass taken in so far. */
  get stepsOfPass(): number {
    return this.#steps - this.#before;
  }

  /** Rows of all steps so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Takes in one more step, which must be done, and returns its rows and logs. */
  next(): { step: number; size: number; logs: Record<string, number> } {
    const { logs, names, shards, split } = this.#geometry;
    const { data, batchSize, firstStep = 0 } = this.#pass as Pass;
    const size = batchRange(data.rows, batchSize, firstStep + this.stepsOfPass).count;
    const at = this.#first + this.stepsOfPass;
    const step = this.#steps++;
    const active = activeShards(size, shards, split);
    const values = names.map((_, i) => {
      let sum = 0;
      for (let shard = 0; shard < active; shard++) {
        sum += logs[(at * shards + shard) * names.length + i] as number;
      }
      return sum;
    });
    values.forEach((value, i) => {
      this.#sums[i] = (this.#sums[i] as number) + value * size;
    });
    this.#rows += size;
    return { step, size, logs: named(names, values) };
  }

  /** Takes in all steps of the pass up to `steps`. */
  advance(steps: number): this {
    while (this.stepsOfPass < steps) this.next();
    return this;
  }

  /** Mean of loss and metrics over the rows so far. */
  means(): Record<string, number> {
    return named(
      this.#geometry.names,
      this.#sums.map((sum) => sum / this.#rows),
    );
  }
}

function named(names: string[], values: number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] as number]));
}
