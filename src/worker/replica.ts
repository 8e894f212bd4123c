import { Arena } from '../common/arena.js';
import { Barrier } from '../common/barrier.js';
import { Control } from '../common/control.js';
import type { Optimizer } from '../common/optimizers.js';
import type { EpochPlan, EpochReport, ReplicaSetup, TimeSplit } from '../common/protocol.js';
import { activeShards, batchCount, batchRange, piece, type Range } from '../common/shards.js';
import { loadKernels } from '../kernels/kernels.js';
import type { Shard } from './gradient-engine.js';
import { OnnxEngine } from './onnx-engine.js';
import { trainSync } from './rules/sync.js';
import { SliceUpdater } from './slice-updater.js';

/** One mini-batch of an epoch. */
export interface Batch {
  step: number;
  rows: Range;
  /** Updates made before this one. */
  update: number;
}

/** One worker's share of the training: its shards of every batch, its slice of the parameters. */
export class Replica {
  readonly rank: number;
  readonly control: Control;
  readonly #setup: ReplicaSetup;
  readonly #engine: OnnxEngine;
  readonly #updater: SliceUpdater;
  readonly #barrier: Barrier;
  #time: TimeSplit = noTime();

  constructor(setup: ReplicaSetup) {
    const arena = new Arena(setup.memory, setup.layout);
    const kernels = loadKernels(setup.memory);
    this.rank = setup.rank;
    this.#setup = setup;
    this.control = new Control(arena.ints('control'));
    this.#barrier = new Barrier(this.control, setup.workers);
    this.#engine = new OnnxEngine(arena, kernels, setup, this.control);
    this.#updater = new SliceUpdater(arena, kernels, setup);
  }

  /** Trains one epoch by the rule in force. Blocks the thread until its last update. */
  trainEpoch(plan: EpochPlan): EpochReport {
    this.#time = noTime();
    this.#engine.shuffled = plan.shuffled;
    const steps = trainSync(this, plan);
    return { steps, time: this.#time, tensorMemory: this.#engine.tensorMemory };
  }

  /** Forward passes over this worker's shards of the validation set. No meeting: nobody writes what another reads. */
  evaluate(batchSize: number): void {
    const rows = this.#setup.validation?.rows ?? 0;
    this.#engine.weightsChanged();
    for (let step = 0; step < batchCount(rows, batchSize); step++) {
      this.control.throwIfAborted();
      if (this.control.stopRequested) return;
      const batch = { step, rows: batchRange(rows, batchSize, step), update: 0 };
      for (const shard of this.#shardsOf(batch)) this.#engine.evaluate(shard);
    }
  }

  /** The mini-batches of an epoch, in order. */
  *batches(plan: EpochPlan): Generator<Batch> {
    const { rows } = this.#setup.training;
    for (let step = 0; step < batchCount(rows, plan.batchSize); step++) {
      yield { step, rows: batchRange(rows, plan.batchSize, step), update: plan.updates + step };
    }
  }

  /** Computes the gradients of this worker's shards of `batch`. */
  computeGradients(batch: Batch): void {
    const started = performance.now();
    this.#engine.gatherMilliseconds = 0;
    this.#engine.weightsChanged();
    for (const shard of this.#shardsOf(batch)) this.#engine.gradients(shard);
    const gather = this.#engine.gatherMilliseconds;
    this.#time.gather += gather / 1000;
    this.#time.compute += (performance.now() - started - gather) / 1000;
  }

  /** Sums the gradient slots and updates the weights, on this worker's slice of the parameters. */
  updateSlice(batch: Batch, optimizer: Optimizer): void {
    const started = performance.now();
    this.#updater.update(optimizer, activeShards(batch.rows.count, this.#setup.shards), batch.update);
    this.#time.reduce += (performance.now() - started) / 1000;
  }

  /** Waits until every worker has come here. */
  meet(): void {
    const started = performance.now();
    this.#barrier.wait();
    this.#time.wait += (performance.now() - started) / 1000;
  }

  dispose(): void {
    this.#engine.dispose();
  }

  /** The non-empty shards of a batch that are this worker's. */
  *#shardsOf({ step, rows, update }: Batch): Generator<Shard> {
    const { shards, workers } = this.#setup;
    const own = piece(shards, workers, this.rank);
    for (let index = own.start; index < own.start + own.count; index++) {
      const part = piece(rows.count, shards, index);
      if (part.count === 0) return;
      yield {
        index,
        start: rows.start + part.start,
        rows: part.count,
        firstRow: part.start,
        weight: part.count / rows.count,
        step,
        update,
      };
    }
  }
}

function noTime(): TimeSplit {
  return { gather: 0, compute: 0, wait: 0, reduce: 0 };
}
