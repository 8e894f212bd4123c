import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { fit } from 'shardfit';
import type { Workload } from '../src/bench/workloads/index.js';

/** What one whole call of fit took. */
export interface Measured {
  /** Milliseconds per update, of the whole call: preparation, threads and all. */
  step: number;
  /** The same without what comes before the first update and behind the last. */
  trainingStep?: number;
  loss: number;
}

export interface Contender {
  name: string;
  /** Trains `workload` for `epochs` epochs, or on `rows` of its rows, in one call. */
  run(workload: Workload, epochs: number, rows: number): Promise<Measured>;
}

/** tfjs' own `model.fit` on one of its backends. */
export function tfjs(backend: 'cpu' | 'wasm'): Contender {
  return {
    name: `tfjs ${backend}`,
    run: (workload, epochs, rows) =>
      onBackend(backend, async () => {
        const { model, x, y } = setUp(workload, rows);
        const started = performance.now();
        const { batchSize } = workload;
        const { history } = await model.fit(x, y, { batchSize, epochs, shuffle: false, yieldEvery: 'never' });
        const milliseconds = performance.now() - started;
        return { step: milliseconds / updates(workload, epochs, rows), loss: history.loss?.at(-1) as number };
      }),
  };
}

export function shardfit(workers: number): Contender {
  return {
    name: `shardfit, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    run: (workload, epochs, rows) =>
      onBackend('cpu', async () => {
        const { model, x, y } = setUp(workload, rows);
        const started = performance.now();
        const { batchSize } = workload;
        const { history, run } = await fit(model, x, y, { batchSize, epochs, shuffle: false, workers });
        const milliseconds = performance.now() - started;
        return {
          step: milliseconds / run.updates,
          trainingStep: (run.seconds * 1000) / run.updates,
          loss: history.loss?.at(-1) as number,
        };
      }),
  };
}

async function onBackend<T>(backend: string, work: () => Promise<T>): Promise<T> {
  await tf.setBackend(backend);
  await tf.ready();
  return work();
}

function setUp(workload: Workload, rows: number) {
  const model = workload.build();
  const all = workload.data();
  return { model, x: all.x.slice([0], [rows]), y: all.y.slice([0], [rows]) };
}

function updates({ batchSize }: Workload, epochs: number, rows: number): number {
  return Math.ceil(rows / batchSize) * epochs;
}
