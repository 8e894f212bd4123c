/** What the README says is other than in tfjs' `model.fit`. */
import * as tf from '@tensorflow/tfjs';
import { evaluate, fit, predict } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { classes, mlp, weightsOf } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const ARGS = { batchSize: 6, epochs: 3, shuffle: false, workers: 2 };

describe('a callback', () => {
  it.each([
    ['sgd', () => tf.train.sgd(0.1)],
    ['momentum', () => tf.train.momentum(0.1, 0.9)],
    ['adam', () => tf.train.adam(0.1)],
  ] as const)('that sets the learningRate of %s changes it from the next epoch on', async (_, optimizer) => {
    const model = mlp(optimizer());
    const { x, y } = classes(24);
    const ends: Float32Array[][] = [];
    const onEpochEnd = async (epoch: number) => {
      ends.push(weightsOf(model));
      if (epoch === 1) Object.assign(model.optimizer, { learningRate: 0 });
    };
    await fit(model, x, y, { ...ARGS, callbacks: { onEpochEnd } });
    expect(ends[1]).not.toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[1]);
  });

  it('that throws rejects fit, and the model has the weights of a whole update', async () => {
    const { x, y } = classes(24);
    const model = mlp();
    const onBatchEnd = async () => {
      throw new Error('enough');
    };
    await expect(fit(model, x, y, { ...ARGS, workers: 1, callbacks: { onBatchEnd } })).rejects.toThrow('enough');
    // Those after one of the updates of the first epoch: workers are ahead, nobody knows how far.
    const after = await Promise.all(
      [1, 2, 3, 4].map(async (steps) => {
        const other = mlp();
        await fit(other, x, y, { ...ARGS, epochs: 1, stepsPerEpoch: steps, workers: 1 });
        return weightsOf(other);
      }),
    );
    expect(after).toContainEqual(weightsOf(model));
  });

  it('can predict and evaluate, with the weights that the model has then', async () => {
    const { x, y } = classes(24);
    const model = mlp();
    let epochs = 0;
    const onEpochEnd = async () => {
      const [ours, theirs] = [await predict(model, x), model.predict(x)] as tf.Tensor[];
      const difference = tf.max(tf.abs(tf.sub(ours as tf.Tensor, theirs as tf.Tensor))).dataSync()[0];
      expect(difference).toBeLessThan(1e-5);
      const [loss] = model.evaluate(x, y) as tf.Scalar[];
      expect((await evaluate(model, x, y)).loss).toBeCloseTo(loss?.dataSync()[0] as number, 5);
      epochs++;
    };
    await fit(model, x, y, { ...ARGS, callbacks: { onEpochEnd } });
    expect(epochs).toBe(3);
  });
});

it('the validation of several outputs has the value of each by its name', async () => {
  const input = tf.input({ shape: [3] });
  const output = (units: number, name: string, seed: number) =>
    tf.layers
      .dense({ units, name, kernelInitializer: tf.initializers.glorotUniform({ seed }) })
      .apply(input) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: [output(1, 'one', 1), output(2, 'two', 2)] });
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError', metrics: ['mae'] });
  const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
  const rows = (n: number, seed: number): [tf.Tensor, tf.Tensor[]] => [
    normal([n, 3], seed),
    [normal([n, 1], seed + 1), normal([n, 2], seed + 2)],
  ];
  const [validationX, validationY] = rows(10, 4);
  const { history } = await fit(model, ...rows(24, 1), { ...ARGS, validationData: [validationX, validationY] });
  const differences = (model.predict(validationX) as tf.Tensor[]).map((y, i) => tf.sub(y, validationY[i] as tf.Tensor));
  const numbers = (of: (difference: tf.Tensor) => tf.Tensor) =>
    differences.map((difference) => of(difference).mean().dataSync()[0] as number) as [number, number];
  const [losses, maes] = [numbers(tf.square), numbers(tf.abs)];
  const last = Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values.at(-1) as number]));
  expect(last.val_one_loss).toBeCloseTo(losses[0], 5);
  expect(last.val_two_loss).toBeCloseTo(losses[1], 5);
  expect(last.val_loss).toBeCloseTo(losses[0] + losses[1], 5);
  expect(last.val_one_mae).toBeCloseTo(maes[0], 5);
  expect(last.val_two_mae).toBeCloseTo(maes[1], 5);
});
