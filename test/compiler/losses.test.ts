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

const sparse = 'sparseCategoricalCrossentropy';

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

  it('of quantiles: the larger of an error times two numbers', async () => {
    const pinball = (yTrue: tf.Tensor, yPred: tf.Tensor) => {
      const error = tf.sub(yTrue, yPred);
      return tf.mean(tf.maximum(tf.mul(error, 0.9), tf.mul(error, -0.1)), -1);
    };
    await expectTrainingStep(network('linear', pinball), [x()], [random([9, 4], 4)]);
    const smallest = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.minimum(tf.mul(yPred, 2), tf.mul(yTrue, 3));
    await expectTrainingStep(network('linear', smallest), [x()], [random([9, 4], 4)]);
  });

  it('of the user in long products, which are compiled at once', async () => {
    const powers = (_: tf.Tensor, yPred: tf.Tensor) => {
      let power = tf.tanh(yPred);
      for (let i = 0; i < 40; i++) power = tf.square(power);
      return tf.mean(power, -1);
    };
    await expectTrainingStep(network('linear', powers), [x()], [random([9, 4], 4)]);
    const chain = (yTrue: tf.Tensor, yPred: tf.Tensor) => {
      let product = yPred;
      for (let i = 0; i < 3000; i++) product = tf.mul(product, yTrue);
      return tf.mean(product, -1);
    };
    await expectTrainingStep(network('linear', chain), [x()], [random([9, 4], 4, 0.999, 1.001)]);
  });

  it('of the user that use tensors made before', async () => {
    const weights = tf.tensor1d([1, 2, 3, 4]);
    const weighted = (yTrue: tf.Tensor, yPred: tf.Tensor) =>
      tf.mean(tf.mul(tf.square(tf.sub(yTrue, yPred)), weights), -1);
    await expectTrainingStep(network('linear', weighted), [x()], [random([9, 4], 4)]);
  });
});

/** Losses and metrics of tf.metrics as functions, and by every name that tfjs knows, aliases included. */
const METRICS: [name: string, activation: string, targets: () => tf.Tensor][] = [
  ['binaryAccuracy', 'sigmoid', bits],
  ['binaryCrossentropy', 'sigmoid', bits],
  ['categoricalAccuracy', 'softmax', () => oneHotRows(9, 4)],
  ['categoricalCrossentropy', 'softmax', () => oneHotRows(9, 4)],
  ['cosineProximity', 'linear', () => random([9, 4], 4)],
  ['meanAbsoluteError', 'linear', () => random([9, 4], 4)],
  ['meanAbsolutePercentageError', 'linear', () => random([9, 4], 4, 0.5, 2)],
  ['MAPE', 'linear', () => random([9, 4], 4, 0.5, 2)],
  ['mape', 'linear', () => random([9, 4], 4, 0.5, 2)],
  ['meanSquaredError', 'linear', () => random([9, 4], 4)],
  ['MSE', 'linear', () => random([9, 4], 4)],
  ['mse', 'linear', () => random([9, 4], 4)],
  ['precision', 'hardSigmoid', bits],
  ['r2Score', 'linear', () => random([9, 4], 4)],
  ['recall', 'hardSigmoid', bits],
  ['sparseCategoricalAccuracy', 'softmax', labels],
];

describe('metrics', () => {
  it('of tf.metrics are all in the table below', () => {
    expect(METRICS.map(([name]) => name).sort()).toEqual(Object.keys(tf.metrics).sort());
  });

  for (const [name, activation, targets] of METRICS) {
    it(`${name}, as a function`, async () => {
      const metric = tf.metrics[name as keyof typeof tf.metrics];
      const model = network(activation, 'meanSquaredError', [metric as never]);
      // Labels have fewer columns than there are outputs; the loss is another one for them.
      if (targets === labels) model.compile({ optimizer: 'sgd', loss: sparse, metrics: [metric as never] });
      await expectTrainingStep(model, [x()], [targets()]);
      await expectEvaluationStep(model, [x()], [targets()]);
    });
  }

  it('by name: each with its aliases', async () => {
    const ofNumbers = ['mse', 'MSE', 'mae', 'MAE', 'mape', 'MAPE', 'cosine'];
    await expectTrainingStep(network('linear', 'meanSquaredError', ofNumbers), [x()], [random([9, 4], 4, 0.5, 2)]);
    const ofClasses = [
      'categoricalAccuracy',
      'categoricalCrossentropy',
      'binaryAccuracy',
      'precision',
      'accuracy',
      'ce',
    ];
    await expectTrainingStep(network('softmax', 'categoricalCrossentropy', ofClasses), [x()], [oneHotRows(9, 4)]);
    const ofLabels = ['accuracy', 'crossentropy', 'sparseCategoricalCrossentropy'];
    await expectTrainingStep(network('softmax', sparse, ofLabels), [x()], [labels()]);
  });
});

describe('a loss for each output', () => {
  it('counts once for each, with metrics of its own', async () => {
    const input = tf.input({ shape: [6] });
    const head = (units: number, activation: string, name: string) => {
      const layer = tf.layers.dense({ units, name, activation: activation as never, kernelInitializer: seeded(units) });
      return layer.apply(input) as tf.SymbolicTensor;
    };
    const model = tf.model({ inputs: input, outputs: [head(4, 'softmax', 'kind'), head(1, 'linear', 'size')] });
    model.compile({
      optimizer: 'sgd',
      loss: { kind: 'categoricalCrossentropy', size: 'meanAbsoluteError' },
      metrics: { kind: 'accuracy', size: 'mse' },
    });
    await expectTrainingStep(model, [x()], [oneHotRows(9, 4), random([9, 1], 5)]);
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
