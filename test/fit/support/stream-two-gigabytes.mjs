/**
 * Trains on 2 GiB of rows that are made as they are asked for, or with the argument `evaluate` measures the model on them. Prints
 * the batches done, their bytes and the most memory that the process had.
 */
import * as tf from '@tensorflow/tfjs';
import { evaluateDataset, fitDataset } from 'shardfit';

const [ROWS, WIDTH] = [512, 784];
const BATCHES = Math.ceil(2 ** 31 / (ROWS * WIDTH * 4));

const model = tf.sequential();
model.add(tf.layers.dense({ units: 16, inputShape: [WIDTH], activation: 'relu' }));
model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
model.compile({ optimizer: tf.train.sgd(0.01), loss: 'sparseCategoricalCrossentropy' });

const pattern = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => ((i * 7919) % 1000) / 1000);
const labels = Float32Array.from({ length: ROWS }, (_, i) => i % 10);
let read = 0;
function* batches() {
  for (let batch = 0; batch < BATCHES; batch++) {
    read++;
    yield { xs: tf.tensor2d(pattern.slice(), [ROWS, WIDTH]), ys: tf.tensor2d(labels.slice(), [ROWS, 1]) };
  }
}

const work = process.argv[2] === 'evaluate' ? evaluateDataset : fitDataset;
const result = await work(model, tf.data.generator(batches), { workers: 2 });
const done = result.run?.updates ?? read;
const peakMegabytes = process.resourceUsage().maxRSS / 1000;
console.log(JSON.stringify({ batches: done, bytes: done * ROWS * WIDTH * 4, peakMegabytes }));
