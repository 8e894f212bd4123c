/** A fit of 4 epochs of 4 mini-batches, 2 rows and 1 row a shard, in a process of its own. Prints how it ended as JSON. */
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

await tf.setBackend('cpu');
const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [3], units: 5, kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }) }),
    tf.layers.dense({ units: 2, kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }) }),
  ],
});
model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'meanSquaredError' });
const x = tf.randomNormal([12, 3], 0, 1, 'float32', 5);
const y = tf.randomNormal([12, 2], 0, 1, 'float32', 6);
const epochs = Number(process.argv[2]);
const started = performance.now();
const outcome = await fit(model, x, y, {
  batchSize: 3,
  epochs,
  workers: 2,
  shuffle: false,
  // Its faults are those of ONNX Runtime, which so small a network would do without.
  engine: 'onnx',
  validationData: [x, y],
}).then(
  () => ({}),
  ({ name, message }) => ({ name, message }),
);
const hash = createHash('sha256');
for (const weight of model.getWeights()) hash.update(new Uint8Array(Float32Array.from(weight.dataSync()).buffer));
const usable = Number.isFinite(model.predict(x).dataSync()[0]);
const took = performance.now() - started;
const threads = process.report.getReport().workers.length;
console.log(JSON.stringify({ ...outcome, took, sha256: hash.digest('hex'), usable, threads }));
