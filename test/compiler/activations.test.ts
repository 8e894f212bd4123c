import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, expectEvaluationStep, expectTrainingStep, random } from './expect-step.js';
import { runProgram, specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const ACTIVATIONS = [
  'elu',
  'hardSigmoid',
  'linear',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'logSoftmax',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
  'gelu',
  'gelu_new',
] as const;

/** The activation between two dense layers, so that its gradient passes on to weights below it. */
function withActivation(activation: string): tf.Sequential {
  const init = (seed: number) => tf.initializers.randomUniform({ minval: -2, maxval: 2, seed });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 8, activation: activation as never, kernelInitializer: init(1) }),
      tf.layers.dense({ units: 3, kernelInitializer: init(2) }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mse', 'mae'] });
  return model;
}

describe('activations', () => {
  for (const activation of ACTIVATIONS) {
    it(`${activation} has tfjs' value and gradient`, async () => {
      // Inputs up to 3 drive every activation into all of its pieces: below, between and above its limits.
      const [x, y] = [random([16, 6], 3, -3, 3), random([16, 3], 4)];
      await expectTrainingStep(withActivation(activation), [x], [y]);
      await expectEvaluationStep(withActivation(activation), [x], [y]);
    });
  }

  for (const layer of [
    tf.layers.leakyReLU({ alpha: 0.1 }),
    tf.layers.elu({ alpha: 1 }),
    tf.layers.reLU({ maxValue: 1 }),
    tf.layers.prelu({ alphaInitializer: 'ones' }),
    tf.layers.softmax(),
  ]) {
    it(`layer ${layer.getClassName()} has tfjs' value and gradient (${JSON.stringify(layer.getConfig())})`, async () => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ inputShape: [6], units: 8, kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) }),
          layer,
        ],
      });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      await expectTrainingStep(model, [random([16, 6], 3, -3, 3)], [random([16, 8], 4)]);
    });
  }

  // tfjs has no gradient for the comparison inside; the derivative is 1 above the threshold and 0 below.
  it('layer ThresholdedReLU has the gradient of relu above its threshold', async () => {
    const build = (layer: tf.layers.Layer, bias: number) => {
      const kernelInitializer = tf.initializers.glorotNormal({ seed: 1 });
      const biasInitializer = tf.initializers.constant({ value: bias });
      const model = tf.sequential({
        layers: [tf.layers.dense({ inputShape: [6], units: 8, kernelInitializer, biasInitializer }), layer],
      });
      model.compile({ optimizer: 'sgd', loss: (_, y) => tf.mean(y) });
      return model;
    };
    const [features, targets] = [[random([16, 6], 3, -3, 3)], [random([16, 8], 4)]];
    // relu(x - 0.5) has the same gradient as x where x > 0.5.
    const shifted = await expectTrainingStep(build(tf.layers.reLU(), -0.5), features, targets);
    const model = build(tf.layers.thresholdedReLU({ theta: 0.5 }), 0);
    const program = compileTrainingStep(model, 16, specsOf(features), specsOf(targets));
    const { gradients } = await runProgram(program, model, { features, targets });
    for (const index of [0, 1]) {
      expectClose(
        gradients.get(index) as Float32Array,
        shifted.gradients.get(index) as Float32Array,
        `weight ${index}`,
      );
    }
  });
});
