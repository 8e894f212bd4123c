import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { expectEvaluationStep, expectTrainingStep, oneHotRows, random } from './expect-step.js';

beforeAll(() => tf.setBackend('cpu'));

function classifier(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [12],
        units: 9,
        activation: 'relu',
        kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }),
      }),
      tf.layers.dense({
        units: 5,
        activation: 'softmax',
        kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }),
      }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

describe('dense networks', () => {
  it('have the loss, accuracy and gradients of tfjs', async () => {
    await expectTrainingStep(classifier(), [random([7, 12], 3)], [oneHotRows(7, 5)]);
  });

  it('evaluate as tfjs does', async () => {
    await expectEvaluationStep(classifier(), [random([7, 12], 3)], [oneHotRows(7, 5)]);
  });
});
