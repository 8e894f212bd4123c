/** Trains on 2 GiB of rows that are made as they are asked for. Prints rows, updates and the most memory that the process had. */
import * as tf from '@tensorflow/tfjs';
import { fitDataset } from 'shardfit';

const [ROWS, WIDTH] = [512, 784];
const BATCHES = Math.ceil(2 ** 31 / (ROWS * WIDTH * 4));

const model = tf.sequential();
model.add(tf.layers.dense({ units: 16, inputShape: [WIDTH], activation: 'relu' }));
model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
model.compile({ optimizer: tf.train.sgd(0.01), loss: 'sparseCategoricalCrossentropy' });

const pattern = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => ((i * 7919) % 1000) / 1000);
const labels = Float32Array.from({ length: ROWS }, (_, i) => i % 10);
function* batches() {
  for (let batch = 0; batch < BATCHES; batch++) {
    yield { xs: tf.tensor2d(pattern.slice(), [ROWS, WIDTH]), ys: tf.tensor2d(labels.slice(), [ROWS, 1]) };
  }
}

const { run } = await fitDataset(model, tf.data.generator(batches), { workers: 2 });
const peakMegabytes = process.resourceUsage().maxRSS / 1000;
console.log(JSON.stringify({ rows: run.rows, updates: run.updates, bytes: run.rows * WIDTH * 4, peakMegabytes }));
