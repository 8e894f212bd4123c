/** `tfjs-peer.ts FOLDER BACKEND`: tfjs' own model.fit, on the backend cpu, wasm or tensorflow (tfjs-node). */
import * as tf from '@tensorflow/tfjs';
import { answerRequests } from './answer-requests.js';
import type { Checked, Measured } from './protocol.js';
import { passes } from './rows.js';
import { readTask } from './task-folder.js';

const PACKAGES: Record<string, string> = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  tensorflow: '@tensorflow/tfjs-node',
};
const [folder = '', backend = 'cpu'] = process.argv.slice(2);
tf.enableProdMode();
const library = PACKAGES[backend];
if (library) await import(library);
await tf.setBackend(backend);
await tf.ready();
const read = readTask(folder);

/** Trains; ends early once `limit` milliseconds are over. */
async function train(updates: number, limit = Number.POSITIVE_INFINITY) {
  const model = read.build();
  const { x, y, epochs } = passes(read, updates);
  const losses: number[] = [];
  const ends: number[] = [];
  const started = performance.now();
  let begun = Number.NaN;
  await model.fit(x, y, {
    ...{ batchSize: read.task.batchSize, epochs, shuffle: false, yieldEvery: 'never' },
    callbacks: {
      onTrainBegin: () => {
        begun = performance.now() - started;
      },
      onBatchEnd: (_: number, logs?: tf.Logs) => {
        losses.push(logs?.loss as number);
        ends.push(performance.now() - started);
        if (performance.now() - started > limit) model.stopTraining = true;
      },
    },
  });
  model.dispose();
  tf.dispose([x, y]);
  return { losses, ends, begun };
}

async function check(updates: number, limit: number): Promise<Checked> {
  const { losses, ends } = await train(updates, limit);
  const milliseconds = ends.map((end, i) => end - (ends[i - 1] ?? 0));
  return { losses, milliseconds, first: ends[0] as number };
}

async function run(updates: number): Promise<Measured> {
  const { ends, begun } = await train(updates);
  return { updates: ends.length, training: (ends.at(-1) as number) - begun, first: ends[0] as number };
}

await answerRequests(`${tf.version.tfjs}, ${tf.getBackend()}`, { check, run });
