import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
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
      const program = compileTrainingStep(model, rows, specsOf(features), specsOf(targets), [], { batchRows: 7 });
      return runProgram(program, model, { features, targets });
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
      expectClose(states.get(index) as Float32Array, after[index] as Float32Array, `state ${index}`);
  });

  it('with several outputs evaluate to the total loss first, then as model.metricsNames says', async () => {
    const input = tf.input({ shape: [5] });
    const outputs = [2, 3].map(
      (units) => tf.layers.dense({ units, kernelInitializer: seeded(units) }).apply(input) as tf.SymbolicTensor,
    );
    const model = tf.model({ inputs: input, outputs });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mae'] });
    const [features, targets] = [[random([6, 5], 1)], [random([6, 2], 2), random([6, 3], 3)]];
    const program = compileEvaluationStep(model, 6, specsOf(features), specsOf(targets));
    const { logs } = await runProgram(program, model, { features, targets });
    expect(logs.length).toBe(model.metricsNames.length);
    const predictions = model.predict(features[0] as tf.Tensor) as tf.Tensor[];
    const mse = targets.map(
      (y, i) => tf.losses.meanSquaredError(y, predictions[i] as tf.Tensor).dataSync()[0] as number,
    );
    // tfjs' own evaluate puts running totals first and so has more numbers than names.
    expectClose(logs.slice(0, 3), [(mse[0] as number) + (mse[1] as number), ...mse], 'losses');
  });

  it("with transposed layouts have tfjs' gradients", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.permute({ inputShape: [6, 5], dims: [2, 1] }),
        tf.layers.dense({ units: 4, activation: 'tanh', kernelInitializer: seeded(1) }),
        tf.layers.permute({ dims: [2, 1] }),
        tf.layers.dense({ units: 3, kernelInitializer: seeded(2) }),
        tf.layers.flatten(),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectTrainingStep(model, [random([3, 6, 5], 1)], [random([3, 12], 2)]);
  });

  it("with other layers have tfjs' gradients", async () => {
    const stacks: [number[], tf.layers.Layer[]][] = [
      [
        [8, 3],
        [
          tf.layers.conv1d({ filters: 4, kernelSize: 3, activation: 'relu', kernelInitializer: seeded(1) }),
          tf.layers.maxPooling1d({ poolSize: 2 }),
          tf.layers.flatten(),
        ],
      ],
      [
        [5, 5, 2],
        [
          tf.layers.conv2dTranspose({
            filters: 3,
            kernelSize: 3,
            strides: 2,
            padding: 'same',
            kernelInitializer: seeded(1),
          }),
          tf.layers.flatten(),
        ],
      ],
      [
        [4, 4, 2],
        [
          tf.layers.conv2d({ filters: 2, kernelSize: 1, kernelInitializer: seeded(1) }),
          tf.layers.zeroPadding2d({ padding: 1 }),
          tf.layers.cropping2D({
            cropping: [
              [0, 1],
              [1, 0],
            ],
          }),
          tf.layers.flatten(),
        ],
      ],
      [[6], [tf.layers.dense({ units: 5, kernelInitializer: seeded(1) }), tf.layers.layerNormalization()]],
      [[5, 3], [tf.layers.lstm({ units: 4, kernelInitializer: seeded(1), recurrentInitializer: seeded(2) })]],
      [[5, 3], [tf.layers.gru({ units: 4, kernelInitializer: seeded(1), recurrentInitializer: seeded(2) })]],
    ];
    for (const [inputShape, layers] of stacks) {
      const model = tf.sequential({
        layers: [
          tf.layers.inputLayer({ inputShape }),
          ...layers,
          tf.layers.dense({ units: 2, kernelInitializer: seeded(9) }),
        ],
      });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      await expectTrainingStep(model, [random([3, ...inputShape], 1)], [random([3, 2], 2)]);
    }
  });
});
