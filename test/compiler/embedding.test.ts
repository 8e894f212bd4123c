import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectTrainingStep } from './expect-step.js';
import { onnxOf } from './onnx-of.js';

beforeAll(() => tf.setBackend('cpu'));

function classifier(words: number): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: words, outputDim: 8, inputLength: 6 }),
      tf.layers.globalAveragePooling1d(),
      tf.layers.dense({ units: 2, kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

describe('an embedding', () => {
  for (const dtype of ['int32', 'float32'] as const) {
    it(`adds up the gradients of a word that occurs many times, given as ${dtype}`, async () => {
      const ids = Array.from({ length: 4 }, (_, i) => Array.from({ length: 6 }, (_, j) => (i * j * j) % 5));
      await expectTrainingStep(classifier(300), [tf.tensor2d(ids, [4, 6], dtype)], [tf.randomUniform([4, 2], -1, 1)]);
    });
  }

  it('makes no program the size of its vocabulary', () => {
    const program = compileTrainingStep(
      classifier(50_000),
      4,
      [{ shape: [6], dtype: 'int32' }],
      [{ shape: [2], dtype: 'float32' }],
    );
    expect(onnxOf(program).length).toBeLessThan(20_000);
  });
});
