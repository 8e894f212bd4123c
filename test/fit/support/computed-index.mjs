/** Trains a model that asks its embedding for an index that it has computed and that is too large; prints the error. */
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

tf.enableProdMode();
await tf.setBackend('cpu');
const input = tf.input({ shape: [2] });
const doubled = tf.layers.add().apply([input, input]);
const vectors = tf.layers.embedding({ inputDim: 5, outputDim: 3 }).apply(doubled);
const outputs = tf.layers.dense({ units: 1 }).apply(tf.layers.flatten().apply(vectors));
const model = tf.model({ inputs: input, outputs });
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
await fit(model, [[0, 4]], [1], { workers: 1, engine: 'onnx' }).catch((error) => console.log(error.message));
