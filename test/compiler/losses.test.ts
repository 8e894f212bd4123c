import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectEvaluationStep, expectTrainingStep, oneHotRows, random } from './expect-step.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

type Loss = string | ((yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor);

function network(activation: string, loss: Loss, metrics: string[] = [], regularizer?: object): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [6],
        units: 7,
        activation: 'tanh',
        kernelInitializer: seeded(1),
        ...(regularizer && { kernelRegularizer: regularizer as never, biasRegularizer: regularizer as never }),
      }),
      tf.layers.dense({
        units: 4,
        activation: activation as never,
        kernelInitializer: seeded(2),
        biasInitializer: 'ones',
      }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: loss as never, metrics });
  return model;
}

const x = () => random([9, 6], 3, -2, 2);
const labels = () => tf.tensor2d(Array.from({ length: 9 }, (_, i) => [(i * 3) % 4]));
const bits = () => random([9, 4], 8).step();

const CASES: [loss: string, activation: string, targets: () => tf.Tensor, metrics: string[]][] = [
  ['meanSquaredError', 'linear', () => random([9, 4], 4), ['mse', 'mae', 'mape', 'cosine']],
  ['meanAbsoluteError', 'linear', () => random([9, 4], 4), []],
  ['meanAbsolutePercentageError', 'linear', () => random([9, 4], 4, 0.5, 2), []],
  ['meanSquaredLogarithmicError', 'sigmoid', () => random([9, 4], 4, 0, 1), []],
  ['hinge', 'tanh', () => bits().mul(2).sub(1), []],
  ['squaredHinge', 'tanh', () => bits().mul(2).sub(1), []],
  ['categoricalHinge', 'softmax', () => oneHotRows(9, 4), []],
  ['logcosh', 'linear', () => random([9, 4], 4), []],
  ['categoricalCrossentropy', 'softmax', () => oneHotRows(9, 4), ['accuracy', 'categoricalCrossentropy']],
  ['categoricalCrossentropy', 'sigmoid', () => oneHotRows(9, 4), ['acc']],
  ['sparseCategoricalCrossentropy', 'softmax', labels, ['accuracy']],
  ['binaryCrossentropy', 'sigmoid', bits, ['accuracy', 'binaryAccuracy', 'precision']],
  ['kullbackLeiblerDivergence', 'softmax', () => random([9, 4], 4, 0.1, 1), []],
  ['poisson', 'softplus', () => random([9, 4], 4, 0, 3), []],
  ['cosineProximity', 'linear', () => random([9, 4], 4), []],
];

describe('losses', () => {
  for (const [loss, activation, targets, metrics] of CASES) {
    it(`${loss} after ${activation}, metrics [${metrics}]`, async () => {
      await expectTrainingStep(network(activation, loss, metrics), [x()], [targets()]);
      await expectEvaluationStep(network(activation, loss, metrics), [x()], [targets()]);
    });
  }

  it('of the user, in tfjs operations', async () => {
    const huber = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.losses.huberLoss(yTrue, yPred, undefined, 0.5);
    await expectTrainingStep(network('linear', huber), [x()], [random([9, 4], 4)]);
    const logits = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.losses.softmaxCrossEntropy(yTrue, yPred);
    await expectTrainingStep(network('linear', logits), [x()], [oneHotRows(9, 4)]);
  });

  it('of the user that use tensors made before', async () => {
    const weights = tf.tensor1d([1, 2, 3, 4]);
    const weighted = (yTrue: tf.Tensor, yPred: tf.Tensor) =>
      tf.mean(tf.mul(tf.square(tf.sub(yTrue, yPred)), weights), -1);
    await expectTrainingStep(network('linear', weighted), [x()], [random([9, 4], 4)]);
  });
});

describe('regularizers', () => {
  for (const [name, regularizer] of Object.entries({
    l1: tf.regularizers.l1({ l1: 0.3 }),
    l2: tf.regularizers.l2({ l2: 0.2 }),
    l1l2: tf.regularizers.l1l2({ l1: 0.1, l2: 0.2 }),
  })) {
    it(`${name} counts in the training loss and its gradient, and not in evaluation, as in tfjs`, async () => {
      const model = network('linear', 'meanSquaredError', [], regularizer);
      const targets = random([9, 4], 4);
      const { logs } = await expectTrainingStep(model, [x()], [targets]);
      await expectEvaluationStep(model, [x()], [targets]);
      const plain = (model.evaluate(x(), targets) as tf.Scalar).dataSync()[0] as number;
      expect(logs[0]).toBeGreaterThan(plain * 1.01);
    });
  }
});
