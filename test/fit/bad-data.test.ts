/** Models and data that cannot be trained are refused before any thread starts, with the place of what is wrong. */
import * as tf from '@tensorflow/tfjs';
import ndarray from 'ndarray';
import { type FitOptions, fit, type TensorInput } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlp } from './support/models.js';
import { expectNoThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

async function refusal(model: unknown, x: unknown, y: unknown, options?: FitOptions): Promise<Error> {
  const before = tf.memory();
  const error = await expectNoThreads(() =>
    fit(model as tf.LayersModel, x as TensorInput, y as TensorInput, options).then(
      () => undefined,
      (error: Error) => error,
    ),
  );
  if (!error) throw new Error('fit trained');
  expect(tf.memory()).toEqual(before);
  return error;
}

const row = (value: unknown = 0) => [value, 0, 0, 0, 0, 0];
const X = [row(), row(), row()] as number[][];
const Y = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

function circular(): unknown[] {
  const array: unknown[] = [];
  array.push(array, array, array);
  return array;
}

function disposed(): tf.Tensor {
  const tensor = tf.ones([3, 6]);
  tensor.dispose();
  return tensor;
}

describe('fit refuses as x', () => {
  it.each<[string, unknown, typeof TypeError | typeof RangeError, string]>([
    ['fewer rows than y', X.slice(1), RangeError, 'x has 2 rows and y has 3'],
    ['too few features', [[1, 2, 3]], RangeError, "x must have the shape [rows, 6] of the model's input"],
    ['one more axis', [[row()], [row()], [row()]], RangeError, "x must have the shape [rows, 6] of the model's input"],
    ['NaN', [row(), row(Number.NaN), row()], RangeError, 'x[1], value 0 is NaN: numbers must be finite'],
    ['Infinity', [row(), row(), row(Number.POSITIVE_INFINITY)], RangeError, 'x[2], value 0 is Infinity'],
    ['a tensor with NaN', tf.fill([3, 6], Number.NaN), RangeError, 'x[0], value 0 is NaN'],
    ['a number too large for float32', [row(1e300), row(), row()], RangeError, 'value 0 is 1e+300, more than a 32-bit'],
    [
      'one in an ndarray',
      ndarray(Float64Array.from([...row(), ...row(1e39)] as number[]), [2, 6]),
      RangeError,
      'x[1], value 0 is 1e+39, more',
    ],
    [
      'an array that holds itself',
      circular(),
      TypeError,
      'x is nested more than 6 deep: an array in it may hold itself',
    ],
    ['no rows', [], RangeError, 'x has no values: its shape is [0]'],
    ['empty rows', [[], [], []], RangeError, 'x has no values: its shape is [3,0]'],
    ['an empty tensor', tf.zeros([0, 6]), RangeError, 'x has no values: its shape is [0,6]'],
    ['ragged rows', [row(), [1, 2], row()], RangeError, 'x[1] must have 6 entries like the first, got 2'],
    ['a row that is a number', [row(), 7, row()], RangeError, 'x[1] must have 6 entries like the first, got number 7'],
    ['text', [row(), row('7'), row()], TypeError, "x[1][0] must be a number, got string '7'"],
    ['null', [row(), row(), row(null)], TypeError, 'x[2][0] must be a number, got null'],
    ['a string', 'data.csv', TypeError, 'x must be a tf.Tensor, an ndarray or nested arrays of numbers, got string'],
    ['undefined', undefined, TypeError, 'x must be a tf.Tensor, an ndarray or nested arrays of numbers, got undefined'],
    ['a number', 5, TypeError, 'x must be a tf.Tensor, an ndarray or nested arrays of numbers, got number 5'],
    ['an ndarray of the wrong width', ndarray(new Float32Array(15), [3, 5]), RangeError, '[rows, 6]'],
    ['a tensor of strings', tf.tensor2d([['a']]), TypeError, 'x must be a float32, int32 or bool tensor, got string'],
    ['a scalar', tf.scalar(1), TypeError, 'x must be an array of rows, got a single number'],
    ['a disposed tensor', disposed(), TypeError, 'x is a tensor that has been disposed'],
    ['a list of two for one input', [tf.ones([3, 6]), tf.ones([3, 6])], TypeError, 'x must hold 1 arrays'],
    ['an object without the input', { wrong: X }, TypeError, "x has no entry for the model's input"],
  ])('%s', async (_, x, type, message) => {
    const error = await refusal(mlp(), x, Y);
    expect(error.message).toContain(message);
    expect(error).toBeInstanceOf(type);
  });
});

describe('fit refuses as y', () => {
  it.each<[string, unknown, typeof TypeError | typeof RangeError, string]>([
    ['fewer rows than x', Y.slice(2), RangeError, 'x has 3 rows and y has 1'],
    ['NaN', [[Number.NaN, 0, 0], ...Y.slice(1)], RangeError, 'y[0], value 0 is NaN'],
    ['-Infinity', [...Y.slice(1), [0, 0, Number.NEGATIVE_INFINITY]], RangeError, 'y[2], value 2 is -Infinity'],
    ['another width', [[1], [2], [3]], RangeError, "y must have the shape [rows, 3] of the model's output"],
    [
      'the options',
      { batchSize: 2, epochs: 1 },
      TypeError,
      'it holds batchSize, epochs; put the options behind all data',
    ],
  ])('%s', async (_, y, type, message) => {
    const error = await refusal(mlp(), X, y);
    expect(error.message).toContain(message);
    expect(error).toBeInstanceOf(type);
  });

  it.each([
    [[0, 1, 3], 'y[2] is 3: sparseCategoricalCrossentropy takes class numbers from 0 to 2'],
    [[0, -1, 2], 'y[1] is -1'],
    [[0.5, 1, 2], 'y[0] is 0.5'],
  ])('class numbers %j', async (y, message) => {
    const model = mlp();
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
    const error = await refusal(model, X, y);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(message);
  });

  it('inputs of different numbers of rows, by name', async () => {
    const inputs = [tf.input({ shape: [6], name: 'a' }), tf.input({ shape: [6], name: 'b' })];
    const model = tf.model({ inputs, outputs: tf.layers.add().apply(inputs) as tf.SymbolicTensor });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const error = await refusal(model, [tf.ones([3, 6]), tf.ones([2, 6])], tf.ones([3, 6]));
    expect(error.message).toBe("x 'a' has 3 rows and x 'b' has 2: each row of one needs a row of the other");
  });

  it('validation targets with NaN', async () => {
    const y = [[Number.NaN, 0, 0], ...Y.slice(1)];
    const error = await refusal(mlp(), X, Y, { validationData: [X, y] });
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain('validationData[1][0], value 0 is NaN');
  });
});

describe('fit refuses as model', () => {
  it('one that is not compiled', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [6], units: 3 })] });
    const error = await refusal(model, X, Y);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('the model is not compiled: call model.compile({ optimizer, loss }) first');
  });

  it('a Sequential without layers', async () => {
    const error = await refusal(tf.sequential(), X, Y);
    expect(error.message).toContain('not compiled');
  });

  it('one that has been disposed', async () => {
    const model = mlp();
    model.dispose();
    const error = await refusal(model, X, Y);
    expect(error.message).toContain('disposed');
  });

  it.each([
    ['all frozen', () => [tf.layers.dense({ inputShape: [6], units: 3, trainable: false })]],
    ['without weights', () => [tf.layers.activation({ activation: 'relu', inputShape: [6] })]],
  ])('one whose layers are %s', async (_, layers) => {
    const model = tf.sequential({ layers: layers() });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const y = model.outputs[0]?.shape[1] === 3 ? Y : X;
    for (const engine of ['auto', 'tfjs'] as const) {
      const error = await refusal(model, X, y, { engine });
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain('the model has no weights to train');
    }
  });

  it('one whose layers were frozen after it was compiled', async () => {
    const model = mlp();
    for (const layer of model.layers) layer.trainable = false;
    expect((await refusal(model, X, Y)).message).toContain('the model has no weights to train');
  });

  it('one with a layer that gives nothing', async () => {
    class Forgetful extends tf.layers.Layer {
      static className = 'Forgetful';
      override call(): tf.Tensor {
        return undefined as unknown as tf.Tensor;
      }
    }
    const layers = [new Forgetful({ inputShape: [6], name: 'lost' }), tf.layers.dense({ units: 3 })];
    const model = tf.sequential({ layers });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    expect((await refusal(model, X, Y)).message).toBe(
      "layer 'lost' (Forgetful) gave undefined: its call() must return a tensor, or a list of them",
    );
  });

  it.each([undefined, null, {}, 'model.json', tf.layers.dense({ units: 1 })])('%s', async (model) => {
    const error = await refusal(model, X, Y);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('model must be a tf.LayersModel or tf.Sequential');
  });

  it('one compiled with an optimizer that shardfit does not know', async () => {
    const optimizer = tf.train.sgd(0.1);
    optimizer.getClassName = () => 'Lion';
    const error = await refusal(mlp(optimizer), X, Y);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('the model is compiled with Lion');
  });

  it('one that needs more shared memory than there can be', async () => {
    const error = await refusal(mlp(), X, Y, { shards: 2 ** 24 });
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(/need .* GiB of shared memory and at most 4 GiB can be had: use fewer shards/);
  });
});
