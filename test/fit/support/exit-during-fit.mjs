/** Ends its process while threads train: argv[2] says how. The threads spend nearly all of their time inside ONNX Runtime. */
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

await tf.setBackend('cpu');
const dense = (units, shape) => tf.layers.dense({ units, activation: 'relu', ...(shape && { inputShape: shape }) });
const model = tf.sequential({ layers: [dense(512, [512]), dense(512), dense(10)] });
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
const ends = {
  'process.exit': () => process.exit(7),
  'an uncaught error': () =>
    setImmediate(() => {
      throw new Error('uncaught');
    }),
};
let begun = false;
const onBatchEnd = () => {
  if (!begun) ends[process.argv[2]]();
  begun = true;
};
await fit(model, tf.ones([2048, 512]), tf.ones([2048, 10]), {
  batchSize: 512,
  epochs: 1000,
  workers: 2,
  callbacks: { onBatchEnd },
});
