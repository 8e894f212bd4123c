/** Exported models in onnxruntime beside `model.predict` of tfjs, for several numbers of rows. */
import * as tf from '@tensorflow/tfjs';
import * as ort from 'onnxruntime-node';
import { exportOnnx, predict, type TensorInput } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { residualCnn } from '../fit/support/coupled.js';

beforeAll(() => tf.setBackend('cpu'));

const EXAMPLES = ['residual-cnn', 'lstm-sequences', 'text-classifier', 'two-inputs-two-outputs', 'autoencoder'];

async function expectSamePredictions(model: tf.LayersModel, x: tf.Tensor[]): Promise<void> {
  const bytes = exportOnnx(model);
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  expect(session.inputNames).toEqual(model.inputNames);
  expect(session.outputNames).toEqual(model.outputNames);
  for (const rows of [1, 2, 5]) {
    const cut = x.map((tensor) => tensor.slice([0], [rows]));
    const feeds = cut.map((tensor, i) => [
      model.inputNames[i],
      new ort.Tensor('float32', Float32Array.from(tensor.dataSync()), tensor.shape),
    ]);
    const actual = await session.run(Object.fromEntries(feeds));
    const expected = [model.predict(cut)].flat() as tf.Tensor[];
    expected.forEach((tensor, i) => {
      const output = actual[model.outputNames[i] as string] as ort.Tensor;
      expect(output.dims).toEqual(tensor.shape);
      const values = output.data as Float32Array;
      tensor.dataSync().forEach((value, at) => {
        expect(values[at]).toBeCloseTo(value, 5);
      });
    });
  }
  await session.release();
}

describe('an exported model predicts what tfjs predicts', () => {
  it.each(EXAMPLES)('%s', async (name) => {
    const example = await import(`../../examples/${name}.mjs`);
    const { x } = example.data(20) as { x: TensorInput };
    const tensors = x instanceof tf.Tensor ? [x] : (Object.values(x) as tf.Tensor[]);
    await expectSamePredictions(example.build(), tensors);
  });

  it('without having been compiled, with dropout and layers that pool, pad and repeat', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv1d({ inputShape: [9, 3], filters: 4, kernelSize: 3, padding: 'same', activation: 'elu' }),
        tf.layers.maxPooling1d({ poolSize: 2, padding: 'same' }),
        tf.layers.bidirectional({ layer: tf.layers.gru({ units: 3 }) as tf.RNN, mergeMode: 'concat' }),
        tf.layers.dropout({ rate: 0.5 }),
        tf.layers.repeatVector({ n: 2 }),
        tf.layers.simpleRNN({ units: 4, returnSequences: true }),
        tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2, activation: 'softmax' }) }),
      ],
    });
    await expectSamePredictions(model, [tf.randomNormal([5, 9, 3], 0, 1, 'float32', 1)]);
  });

  it.each<[number | [number, number], number | [number, number]]>([
    [1, 3],
    [
      [1, 2],
      [3, 2],
    ],
    [2, 3],
  ])(
    'with pixels that no tap of a transposed convolution sees, %j taps and strides of %j',
    async (kernelSize, strides) => {
      // The first layer also has pixels before those that are seen.
      const layers = [
        tf.layers.conv2dTranspose({ inputShape: [3, 4, 8], filters: 5, kernelSize, strides, padding: 'same' }),
        tf.layers.conv2dTranspose({ filters: 2, kernelSize, strides, padding: 'valid', activation: 'sigmoid' }),
      ];
      await expectSamePredictions(tf.sequential({ layers }), [tf.randomNormal([5, 3, 4, 8], 0, 1, 'float32', 1)]);
    },
  );

  it('with moving averages of batch norm that are not those it began with', async () => {
    const model = residualCnn();
    const weights = model.getWeights().map((weight) => tf.add(tf.abs(weight), 0.3));
    model.setWeights(weights);
    await expectSamePredictions(model, [tf.randomNormal([5, 8, 8, 2], 0, 1, 'float32', 1)]);
  });
});

it('leaves the model and tfjs as they were', () => {
  const model = residualCnn();
  const before = [tf.getBackend(), tf.memory().numTensors];
  exportOnnx(model);
  expect([tf.getBackend(), tf.memory().numTensors]).toEqual(before);
});

it('refuses what cannot be exported', () => {
  expect(() => exportOnnx({} as tf.LayersModel)).toThrow('model must be a tf.LayersModel');
  const open = tf.sequential({ layers: [tf.layers.gru({ units: 2, inputShape: [null as unknown as number, 3] })] });
  expect(() => exportOnnx(open)).toThrow(/has the shape \[any, any, 3\]: all sizes but the first must be known/);
  const stateful = tf.layers.gru({ units: 2, stateful: true, batchInputShape: [4, 5, 3], name: 'memory' });
  expect(() => exportOnnx(tf.sequential({ layers: [stateful] }))).toThrow(
    /^the model cannot be exported: layer 'memory' is stateful: .*; build it with stateful: false$/,
  );
});

it('an output that is listed twice is two outputs with names of their own', async () => {
  const input = tf.input({ shape: [3] });
  const output = tf.layers.dense({ units: 2, name: 'twice' }).apply(input) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: [output, output] });
  const session = await ort.InferenceSession.create(exportOnnx(model), { logSeverityLevel: 3 });
  expect(session.outputNames).toEqual(['twice', 'twice_1']);
  const results = await session.run({ [model.inputNames[0] as string]: new ort.Tensor('float32', [1, 2, 3], [1, 3]) });
  const single = tf.model({ inputs: input, outputs: output });
  const expected = (single.predict(tf.tensor2d([[1, 2, 3]])) as tf.Tensor).dataSync();
  for (const name of session.outputNames) {
    const values = (results[name] as ort.Tensor).data as Float32Array;
    expected.forEach((value, at) => {
      expect(values[at]).toBeCloseTo(value, 5);
    });
  }
  const predicted = (await predict(model, [[1, 2, 3]], { workers: 1 })) as tf.Tensor[];
  expect(predicted.map((tensor) => [...tensor.dataSync()])).toHaveLength(2);
  expect(predicted[0]?.dataSync()).toEqual(predicted[1]?.dataSync());
  await session.release();
});
