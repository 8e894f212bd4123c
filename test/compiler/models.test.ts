import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, expectEvaluationStep, expectTrainingStep, random } from './expect-step.js';
import { runProgram, specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

describe('models', () => {
  it('may share a layer between branches and have several inputs and outputs', async () => {
    const [a, b] = [tf.input({ shape: [5] }), tf.input({ shape: [5] })];
    const shared = tf.layers.dense({ units: 4, activation: 'tanh', kernelInitializer: seeded(1) });
    const [ha, hb] = [shared.apply(a), shared.apply(b)] as [tf.SymbolicTensor, tf.SymbolicTensor];
    const joined = tf.layers
      .concatenate()
      .apply([ha, hb, tf.layers.add().apply([ha, hb]) as tf.SymbolicTensor]) as tf.SymbolicTensor;
    const first = tf.layers.dense({ units: 2, kernelInitializer: seeded(2) }).apply(joined) as tf.SymbolicTensor;
    const second = tf.layers
      .dense({ units: 1, kernelInitializer: seeded(3) })
      .apply(tf.layers.multiply().apply([ha, hb])) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [a, b], outputs: [first, second] });
    model.compile({ optimizer: 'sgd', loss: ['meanSquaredError', 'meanAbsoluteError'], metrics: ['mse'] });
    const features = [random([6, 5], 1), random([6, 5], 2)];
    const targets = [random([6, 2], 3), random([6, 1], 4)];
    await expectTrainingStep(model, features, targets);
  });

  it('may hold other models', async () => {
    const inner = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [5], units: 4, activation: 'relu', kernelInitializer: seeded(1) })],
    });
    const model = tf.sequential({ layers: [inner, tf.layers.dense({ units: 2, kernelInitializer: seeded(2) })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectTrainingStep(model, [random([6, 5], 1)], [random([6, 2], 2)]);
  });

  it('may have frozen layers: those get no gradient', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [5], units: 4, trainable: false, kernelInitializer: seeded(1) }),
        tf.layers.dense({ units: 2, kernelInitializer: seeded(2) }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { gradients } = await expectTrainingStep(model, [random([6, 5], 1)], [random([6, 2], 2)]);
    expect(gradients.size).toBe(2);
  });

  it('weight the rows of uneven shards so that their gradients add up to the batch gradient', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [5], units: 2, kernelInitializer: seeded(1), kernelRegularizer: 'l1l2' })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const [x, y] = [random([7, 5], 1) as tf.Tensor2D, random([7, 2], 2) as tf.Tensor2D];
    const run = async (from: number, rows: number) => {
      const [features, targets] = [[x.slice([from], [rows])], [y.slice([from], [rows])]];
      const program = compileTrainingStep(model, rows, specsOf(features), specsOf(targets));
      return runProgram(program, model, { features, targets, shardWeight: rows / 7 });
    };
    const [small, large, whole] = [await run(0, 2), await run(2, 5), await run(0, 7)];
    const sum = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (v, i) => v + (b[i] as number));
    expectClose(sum(small.logs, large.logs), whole.logs, 'loss');
    for (const [index, gradient] of whole.gradients) {
      expectClose(
        sum(small.gradients.get(index) as Float32Array, large.gradients.get(index) as Float32Array),
        gradient,
        `weight ${index}`,
      );
    }
  });

  it('with batch normalization have its gradients and hand out its new averages', async () => {
    const model = tf.sequential({
      layers: [
        // Without biases below the normalization: their gradients are zero but for rounding.
        tf.layers.conv2d({
          inputShape: [6, 6, 2],
          filters: 3,
          kernelSize: 3,
          useBias: false,
          kernelInitializer: seeded(1),
        }),
        tf.layers.batchNormalization({ momentum: 0.9 }),
        tf.layers.activation({ activation: 'relu' }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 5, useBias: false, kernelInitializer: seeded(2) }),
        tf.layers.batchNormalization({ momentum: 0.9 }),
        tf.layers.dense({ units: 2, kernelInitializer: seeded(3) }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const before = model.getWeights().map((w) => w.dataSync().slice());
    const [features, targets] = [[random([6, 6, 6, 2], 1, -1, 3)], [random([6, 2], 2)]];
    await expectEvaluationStep(model, features, targets);
    // expectTrainingStep runs the compiled step first, then tfjs' own, which moves the averages.
    const { states } = await expectTrainingStep(model, features, targets);
    const after = model.getWeights().map((w) => w.dataSync());
    const moved = after.flatMap((values, i) => (values.some((v, k) => v !== before[i]?.[k]) ? [i] : []));
    expect([...states.keys()]).toEqual(moved);
    expect(moved.length).toBe(4);
    for (const index of moved)
      expectClose(
        states.get(index) as Float32Array,
        (after[index] as Float32Array).map((v) => v * 0.375),
        `state ${index}`,
      );
  });
});
