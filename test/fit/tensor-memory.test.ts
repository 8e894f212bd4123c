/** Where step programs work, and that it makes no difference to the result. */
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';
import { afterEach, beforeAll, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));
afterEach(() => tf.disposeVariables());

async function train(workers: number, engine: 'onnx' | 'tfjs' = 'onnx') {
  const model = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [8], units: 3, kernelInitializer: tf.initializers.ones() })],
  });
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'meanSquaredError' });
  const x = tf.randomNormal([12, 8], 0, 1, 'float32', 5);
  const y = tf.randomNormal([12, 3], 0, 1, 'float32', 6);
  const options = { batchSize: 4, shards: 2, workers, epochs: 2, shuffle: false, engine };
  const { run } = await fit(model, x, y, options);
  return { memory: run.tensorMemory, weights: model.getWeights().map((weight) => weight.dataSync()) };
}

it('workers read weights and write gradients in the arena itself, one alone in memory of its own', async () => {
  const [alone, together] = [await train(1), await train(2)];
  expect(alone.memory).toBe('private');
  expect(together.memory).toBe('shared');
  expect(together.weights).toEqual(alone.weights);
});

it('tfjs works on copies', async () => {
  expect((await train(2, 'tfjs')).memory).toBe('copied');
});
