/** Dense, activations, shapes, masks and embeddings. */
import * as tf from '@tensorflow/tfjs';
import { between, compiled, custom, type LayerCase, numbers, variants } from '../layer-case.js';

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
];

const regularized = {
  kernelRegularizer: tf.regularizers.l1l2({ l1: 0.02, l2: 0.03 }),
  biasRegularizer: tf.regularizers.l1({ l1: 0.01 }),
};
// Only asks for the options: constraints act on weights after the update and are no part of the step.
const constrained = { kernelConstraint: tf.constraints.maxNorm({ maxValue: 100, axis: 0 }) };

const ids = (rows: number, length: number, from = 0): tf.Tensor[] => [
  tf.tensor2d(
    Array.from({ length: rows }, (_, i) =>
      Array.from({ length }, (_, j) => (j > 2 && i % 2 ? from : (i * 5 + j * 3) % 7)),
    ),
  ),
];

function embedded(options: object, above: tf.layers.Layer[]): tf.LayersModel {
  const layer = tf.layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 5, ...options });
  return between([5], [layer, ...above], false);
}

/** Sequences that end early: from some time step on all features are zero. */
function endedSequences(rows: number): tf.Tensor[] {
  const lengths = Array.from({ length: rows }, (_, i) => [[2], [5], [3], [4]][i % 4] as number[]);
  const steps = tf.range(0, 5).expandDims(0);
  const mask = tf.less(steps, tf.tensor2d(lengths)).expandDims(-1);
  return [tf.mul(numbers([rows, 5, 3], 7), mask)];
}

const masked = (layers: () => tf.layers.Layer[]) => () =>
  between([5, 3], [tf.layers.masking({ maskValue: 0 }), ...layers()], false);

export const core: LayerCase[] = [
  ...variants(
    'dense',
    [5],
    { units: 4 },
    [
      { activation: 'relu' },
      { useBias: false },
      ...ACTIVATIONS.map((activation) => ({ activation })),
      regularized,
      constrained,
    ].map((options) => options),
  ),
  ...variants('dense', [4, 5], { units: 3 }, [{ activation: 'tanh' }]),
  ...variants(
    'activation',
    [5],
    {},
    ACTIVATIONS.map((activation) => ({ activation })),
  ),
  ...variants('elu', [5], {}, [{}]),
  ...variants('reLU', [5], {}, [{}, { maxValue: 0.5 }]),
  ...variants('leakyReLU', [5], {}, [{}, { alpha: 0.1 }]),
  ...variants('prelu', [5], {}, [{}]),
  ...variants('prelu', [4, 5], {}, [{ sharedAxes: [1] }, { alphaRegularizer: tf.regularizers.l2({ l2: 0.1 }) }]),
  // tfjs' default is axis 1, and it takes no axis but the last.
  ...variants('softmax', [5], {}, [{}, { axis: -1 }]),
  ...variants('softmax', [4, 5], {}, [{ axis: -1 }]),
  ...variants('thresholdedReLU', [5], {}, [{}, { theta: 0.3 }], {
    numerical: 'tfjs has no gradient of the comparison inside',
    distance: 0.01,
  }),
  ...variants('flatten', [3, 4, 2], {}, [{}, { dataFormat: 'channelsFirst' }]),
  ...variants('reshape', [3, 4], {}, [{ targetShape: [6, 2] }]),
  custom('reshape', 'targetShape [-1, 3]', () =>
    between([3, 4], [tf.layers.reshape({ targetShape: [-1, 3] }), tf.layers.globalAveragePooling1d()]),
  ),
  ...variants('permute', [3, 4, 2], {}, [{ dims: [2, 1, 3] }, { dims: [3, 1, 2] }]),
  ...variants('repeatVector', [5], {}, [{ n: 3 }]),
  custom('inputLayer', 'defaults', () => between([5], [tf.layers.inputLayer({ inputShape: [5] })].slice(1))),
  custom('inputLayer', 'in a Sequential', () =>
    compiled(tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [5] }), tf.layers.dense({ units: 2 })] })),
  ),
  custom(
    'masking',
    'before lstm',
    masked(() => [tf.layers.lstm({ units: 4 })]),
    { features: endedSequences },
  ),
  custom(
    'masking',
    'before dense and gru, returnSequences',
    masked(() => [tf.layers.dense({ units: 3 }), tf.layers.gru({ units: 4, returnSequences: true })]),
    { features: endedSequences },
  ),
  custom(
    'masking',
    'before timeDistributed',
    masked(() => [tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }) })]),
    { features: endedSequences },
  ),
  custom('embedding', 'defaults', () => embedded({}, []), { features: (rows) => ids(rows, 5) }),
  custom('embedding', 'maskZero, before lstm', () => embedded({ maskZero: true }, [tf.layers.lstm({ units: 4 })]), {
    features: (rows) => ids(rows, 5),
  }),
  custom(
    'embedding',
    'maskZero, before bidirectional gru',
    () =>
      embedded({ maskZero: true }, [
        tf.layers.bidirectional({ layer: tf.layers.gru({ units: 2 }), mergeMode: 'concat' }),
      ]),
    {
      features: (rows) => ids(rows, 5),
    },
  ),
  custom(
    'embedding',
    'embeddingsRegularizer',
    () => embedded({ embeddingsRegularizer: tf.regularizers.l2({ l2: 0.1 }) }, []),
    { features: (rows) => ids(rows, 5) },
  ),
];
