/** Products with few rows have the weights on their left side, where ONNX Runtime reads them as they stand; the step is the same. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RuntimeStep } from '#shardfit/common/program.js';
import { StepCompiler, traceTraining } from '#shardfit/compiler/index.js';
import { Model } from '#shardfit/compiler/onnx/schema.js';
import { expectTrainingStep, oneHotRows, random } from './expect-step.js';
import { specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

type Layer = (x: tf.SymbolicTensor) => tf.SymbolicTensor;

let seed = 1;
const glorot = () => tf.initializers.glorotNormal({ seed: seed++ });

const dense = (units: number, activation: 'relu' | 'tanh' | 'sigmoid' | 'elu' | 'linear' | 'softmax'): Layer => {
  const layer = tf.layers.dense({ units, activation, kernelInitializer: glorot(), biasInitializer: glorot() as never });
  return (x) => layer.apply(x) as tf.SymbolicTensor;
};

function classifier(inputs: number, layers: Layer[]): tf.LayersModel {
  const input = tf.input({ shape: [inputs] });
  const x = layers.reduce((value, layer) => layer(value), input);
  const model = tf.model({ inputs: input, outputs: dense(4, 'softmax')(x) });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The matrix products of a step for `rows` rows, with all weights as they are in the model or with those transposed that are worth it. */
function productsOf(model: tf.LayersModel, rows: number, transposed?: 'auto') {
  const [features, targets] = [
    specsOf([random([1, model.inputs[0]?.shape[1] as number], 1)]),
    specsOf([oneHotRows(1, 4)]),
  ];
  const compiler = new StepCompiler(
    traceTraining,
    model,
    { features, targets, sampleWeights: [] },
    { tapes: false, transposed },
  );
  const { onnx } = compiler.compile(rows).stages.flat()[0] as RuntimeStep;
  const { graph } = Model.decode(onnx) as unknown as { graph: { node: { opType: string; input: string[] }[] } };
  return graph.node.filter(({ opType }) => opType === 'Gemm').map(({ input }) => input.slice(0, 2));
}

describe('with few rows', () => {
  const build = () => classifier(512, [dense(256, 'relu'), dense(256, 'relu')]);

  it('the first layer has its transposed weights on the left, and so has the gradient that it gets', () => {
    const products = productsOf(build(), 32, 'auto');
    expect(products).toContainEqual(['weight_0_transposed', 'feature_0']);
    expect(products.filter(([left]) => left === 'weight_2')).toHaveLength(1);
  });

  it('and with more than there are inputs and units large layers are as they were', () => {
    const products = productsOf(build(), 1024);
    expect(products.filter((sides) => sides.some((side) => side?.startsWith('weight')))).toHaveLength(5);
    // Of four columns three quarters of a vector would be idle.
    expect(products.filter(([left]) => left?.startsWith('weight')).map(([left]) => left)).toEqual(['weight_4']);
  });
});

const BETWEEN: [string, () => Layer[]][] = [
  [
    'activations of one kind each',
    () => [dense(512, 'relu'), dense(512, 'tanh'), dense(512, 'sigmoid'), dense(512, 'elu')],
  ],
  [
    'a skip, scaled',
    () => [
      dense(512, 'relu'),
      (x) =>
        tf.layers
          .add()
          .apply([dense(512, 'tanh')(x), tf.layers.multiply().apply([x, x]) as tf.SymbolicTensor]) as tf.SymbolicTensor,
      dense(512, 'linear'),
      dense(512, 'relu'),
      dense(512, 'relu'),
    ],
  ],
  [
    'what needs whole rows',
    () => [
      dense(768, 'linear'),
      (x) => tf.layers.layerNormalization().apply(x) as tf.SymbolicTensor,
      dense(768, 'softmax'),
      (x) => tf.layers.leakyReLU({ alpha: 0.1 }).apply(dense(768, 'linear')(x)) as tf.SymbolicTensor,
    ],
  ],
  [
    'what is used twice, and joined',
    () => [
      dense(512, 'relu'),
      (x) => tf.layers.concatenate().apply([x, dense(512, 'relu')(x)]) as tf.SymbolicTensor,
      dense(512, 'tanh'),
    ],
  ],
];

describe('a step has the loss and gradients of tfjs', () => {
  it.each(BETWEEN)('with %s between products', async (_, layers) => {
    const model = classifier(96, layers());
    const isLeft = ([left]: string[]) => left?.startsWith('weight');
    expect(productsOf(model, 64).some(isLeft)).toBe(true);
    await expectTrainingStep(model, [random([64, 96], 3)], [oneHotRows(64, 4)]);
  });
});
