import type { DataSet, Pass } from '../common/protocol.js';
import { batchCount } from '../common/shards.js';
import type { WorkerTrial } from './worker-trial.js';

/** Where an epoch takes its mini-batches from. */
export interface RowSource {
  /** Rows, and mini-batches, of one epoch; undefined where only its end will tell. */
  readonly rows: number | undefined;
  readonly steps: number | undefined;
  /** Rows of a mini-batch, if not fewer. */
  readonly batchSize: number;
  /** The whole epoch as one pass, where each has the same rows and all of them stand in the arena. */
  readonly whole?: Pass;
  /** Whether the last epoch was shorter than it should be, since there is no more. */
  readonly exhausted: boolean;
  /**
   * The mini-batches of one epoch, a part of the arena at a time. Its rows stay there until the next is asked for.
   *
   * @param trial whose passes are of as many mini-batches as it wants.
   */
  epoch(trial?: WorkerTrial): AsyncIterable<Pass>;
}

/** All rows stand in the arena. */
export class ArenaRows implements RowSource {
  readonly exhausted = false;
  readonly whole: Pass;

  /** @param steps mini-batches that end an epoch, if not all of them. */
  constructor(data: DataSet, batchSize: number, steps = batchCount(data.rows, batchSize)) {
    this.whole = { data, batchSize, steps };
  }

  get rows(): number {
    const { data, batchSize, steps } = this.whole;
    return Math.min(data.rows, steps * batchSize);
  }

  get steps(): number {
    return this.whole.steps;
  }

  get batchSize(): number {
    return this.whole.batchSize;
  }

  async *epoch(trial?: WorkerTrial): AsyncGenerator<Pass> {
    const { steps } = this.whole;
    for (let firstStep = 0; firstStep < steps; ) {
      const left = steps - firstStep;
      const pass = { ...this.whole, firstStep, steps: trial?.steps(left) ?? left };
      yield pass;
      firstStep += pass.steps;
    }
  }
}

/** Rows of the first `steps` mini-batches of a pass, which may be gone through several times. */
export function rowsOf({ data, batchSize, firstStep = 0, steps: all }: Pass, steps: number): number {
  const ofFirst = (count: number) => Math.min(data.rows - firstStep * batchSize, count * batchSize);
  if (steps === 0) return 0;
  return Math.floor(steps / all) * ofFirst(all) + ofFirst(steps % all);
}
