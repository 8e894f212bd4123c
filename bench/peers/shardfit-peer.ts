/**
 * `shardfit-peer.ts FOLDER WORKERS|auto [batchStatistics]`: shardfit as a peer, in a process of its own. One trainer for all of its
 * trainings: its threads stay, as those of other libraries do.
 */
import * as tf from '@tensorflow/tfjs';
import { type FitOptions, Trainer } from 'shardfit';
import { answerRequests } from './answer-requests.js';
import type { Checked, Measured } from './protocol.js';
import { passes } from './rows.js';
import { readTask } from './task-folder.js';

const [folder = '', workers = '1', statistics = 'batch'] = process.argv.slice(2);
tf.enableProdMode();
await tf.setBackend('cpu');
const read = readTask(folder);
const options: FitOptions = {
  batchSize: read.task.batchSize,
  shuffle: false,
  workers: workers === 'auto' ? workers : Number(workers),
  batchStatistics: statistics as 'batch' | 'shard',
};

const trainer = new Trainer(read.build());

/** Gives the trainer's model its initial weights, and an optimizer without a past. */
function beginAnew(): void {
  const { model } = trainer;
  const fresh = read.build();
  model.setWeights(fresh.getWeights());
  model.compile({ optimizer: fresh.optimizer, loss: fresh.loss });
  fresh.dispose();
}

async function train(updates: number, more: FitOptions = {}) {
  beginAnew();
  const { x, y, epochs, updates: done } = passes(read, updates);
  const { run } = await trainer.fit(x, y, { ...options, epochs, ...more });
  tf.dispose([x, y]);
  return { updates: done, training: run.seconds * 1000 };
}

/** A training of one update: in a longer one, workers would be ahead by the time that the callback is told. */
async function firstUpdate(): Promise<number> {
  const started = performance.now();
  let first = 0;
  const onEpochEnd = () => {
    first = performance.now() - started;
  };
  await train(1, { callbacks: { onEpochEnd } });
  return first;
}

async function check(updates: number): Promise<Checked> {
  const first = await firstUpdate();
  const losses: number[] = [];
  const onBatchEnd = (_: number, logs?: tf.Logs) => {
    losses.push(logs?.loss as number);
  };
  const { training } = await train(updates, { callbacks: { onBatchEnd } });
  return { first, losses, milliseconds: losses.map(() => training / losses.length) };
}

async function run(updates: number): Promise<Measured> {
  return { first: await firstUpdate(), ...(await train(updates)) };
}

try {
  await answerRequests(process.version, { check, run });
} finally {
  await trainer.close();
}
