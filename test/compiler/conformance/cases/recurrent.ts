/** Recurrent layers, their cells and their wrappers. */
import * as tf from '@tensorflow/tfjs';
import { between, compiled, custom, type LayerCase, variants } from '../layer-case.js';

const regularized = {
  kernelRegularizer: tf.regularizers.l2({ l2: 0.05 }),
  recurrentRegularizer: tf.regularizers.l1({ l1: 0.01 }),
  biasRegularizer: tf.regularizers.l2({ l2: 0.1 }),
};

const COMMON = [
  {},
  { returnSequences: true },
  { goBackwards: true },
  { returnSequences: true, goBackwards: true },
  { useBias: false },
  { dropout: 0.4 },
  { recurrentDropout: 0.3 },
  { dropout: 0.2, recurrentDropout: 0.3, returnSequences: true },
  regularized,
];
const GATED = [...COMMON, { activation: 'relu', recurrentActivation: 'sigmoid' }, { implementation: 1 }];
const SEQUENCE = [5, 3];

type Recurrent = 'simpleRNN' | 'gru' | 'lstm';

/** States as outputs, and states from another sequence as the beginning. */
function withStates(factory: Recurrent): LayerCase {
  return custom(factory, 'returnState, initialState', () => {
    const make = tf.layers[factory] as (options: object) => tf.layers.Layer;
    const [a, b] = [tf.input({ shape: SEQUENCE }), tf.input({ shape: SEQUENCE })];
    const encoded = make({ units: 4, returnState: true }).apply(a) as tf.SymbolicTensor[];
    const decoder = make({ units: 4, returnSequences: true });
    const decoded = decoder.apply([b, ...encoded.slice(1)]) as tf.SymbolicTensor;
    const outputs = tf.layers.dense({ units: 2 }).apply(tf.layers.flatten().apply(decoded)) as tf.SymbolicTensor;
    return compiled(tf.model({ inputs: [a, b], outputs }));
  });
}

const stateful = (factory: Recurrent): LayerCase =>
  custom(
    factory,
    'stateful',
    () => {
      const make = tf.layers[factory] as (options: object) => tf.layers.Layer;
      const layer = make({ units: 4, stateful: true, batchInputShape: [3, ...SEQUENCE] });
      return compiled(tf.sequential({ layers: [layer, tf.layers.dense({ units: 2 })] }));
    },
    { refused: /is stateful/, because: 'states that go on from one mini-batch to the next are no part of a step' },
  );

const unrolled = (
  factory: 'rnn' | 'simpleRNNCell' | 'gruCell' | 'lstmCell' | 'stackedRNNCells',
  options: string,
  cell: () => object,
  more: object = {},
): LayerCase => custom(factory, options, () => between(SEQUENCE, [tf.layers.rnn({ cell: cell() as never, ...more })]));

const CONV = { filters: 2, kernelSize: 2 };
const wrapped = (layer: () => tf.layers.RNN, mergeMode: string | null, name: string): LayerCase =>
  custom('bidirectional', `${name}, mergeMode ${mergeMode}`, () =>
    between(SEQUENCE, [tf.layers.bidirectional({ layer: layer(), mergeMode: mergeMode as never })]),
  );

export const recurrent: LayerCase[] = [
  ...variants('simpleRNN', SEQUENCE, { units: 4 }, [...COMMON, { activation: 'relu' }]),
  ...variants('gru', SEQUENCE, { units: 4 }, GATED),
  ...variants('lstm', SEQUENCE, { units: 4 }, [...GATED, { unitForgetBias: true }]),
  ...(['simpleRNN', 'gru', 'lstm'] as const).flatMap((factory) => [withStates(factory), stateful(factory)]),
  unrolled('simpleRNNCell', 'in rnn', () => tf.layers.simpleRNNCell({ units: 4 })),
  unrolled('simpleRNNCell', 'in rnn, dropout 0.3', () => tf.layers.simpleRNNCell({ units: 4, dropout: 0.3 })),
  unrolled('gruCell', 'in rnn', () => tf.layers.gruCell({ units: 4 })),
  unrolled('gruCell', 'in rnn, recurrentDropout 0.3', () => tf.layers.gruCell({ units: 4, recurrentDropout: 0.3 })),
  unrolled('lstmCell', 'in rnn', () => tf.layers.lstmCell({ units: 4 })),
  unrolled('lstmCell', 'in rnn, dropout 0.3, recurrentDropout 0.2', () =>
    tf.layers.lstmCell({ units: 4, dropout: 0.3, recurrentDropout: 0.2 }),
  ),
  unrolled('rnn', 'cell lstmCell', () => tf.layers.lstmCell({ units: 4 })),
  unrolled('rnn', 'cell gruCell, returnSequences, goBackwards', () => tf.layers.gruCell({ units: 4 }), {
    returnSequences: true,
    goBackwards: true,
  }),
  unrolled('rnn', 'a list of cells', () => [tf.layers.lstmCell({ units: 4 }), tf.layers.simpleRNNCell({ units: 3 })]),
  unrolled('stackedRNNCells', 'of gru and lstm', () =>
    tf.layers.stackedRNNCells({ cells: [tf.layers.gruCell({ units: 4 }), tf.layers.lstmCell({ units: 3 })] }),
  ),
  unrolled(
    'stackedRNNCells',
    'returnSequences, dropout 0.3',
    () =>
      tf.layers.stackedRNNCells({
        cells: [tf.layers.lstmCell({ units: 4, dropout: 0.3 }), tf.layers.lstmCell({ units: 3 })],
      }),
    { returnSequences: true },
  ),
  ...variants('convLstm2d', [3, 5, 4, 2], CONV, [
    {},
    { returnSequences: true },
    { padding: 'same', goBackwards: true },
    { strides: 2 },
    { useBias: false },
    { dataFormat: 'channelsFirst' },
    { dropout: 0.3 },
    { recurrentDropout: 0.3, returnSequences: true },
    { activation: 'relu', recurrentActivation: 'sigmoid' },
  ]),
  custom('convLstm2dCell', 'in rnn', () => {
    // tfjs' rnn wants sequences of vectors: the layer that it makes for this cell is convLstm2d.
    const layer = tf.layers.convLstm2d(CONV);
    return between([3, 4, 4, 2], [layer]);
  }),
  wrapped(() => tf.layers.lstm({ units: 3 }), 'concat', 'lstm'),
  wrapped(() => tf.layers.lstm({ units: 3, returnSequences: true }), 'concat', 'lstm, returnSequences'),
  ...['sum', 'ave', 'mul'].map((mode) => wrapped(() => tf.layers.gru({ units: 3 }) as tf.layers.RNN, mode, 'gru')),
  wrapped(() => tf.layers.simpleRNN({ units: 3, dropout: 0.3 }) as tf.layers.RNN, 'concat', 'simpleRNN, dropout 0.3'),
  custom('bidirectional', 'gru, mergeMode null', () => {
    const input = tf.input({ shape: SEQUENCE });
    const layer = tf.layers.bidirectional({
      layer: tf.layers.gru({ units: 3 }) as tf.layers.RNN,
      mergeMode: null as never,
    });
    const sides = layer.apply(input) as tf.SymbolicTensor[];
    return compiled(
      tf.model({
        inputs: input,
        outputs: tf.layers.dense({ units: 2 }).apply(tf.layers.concatenate().apply(sides)) as tf.SymbolicTensor,
      }),
    );
  }),
  ...[
    ['dense', SEQUENCE, () => tf.layers.dense({ units: 2, activation: 'tanh' })],
    ['conv2d', [2, 5, 4, 2], () => tf.layers.conv2d({ filters: 2, kernelSize: 2 })],
    ['flatten', [3, 2, 2], () => tf.layers.flatten()],
    ['dropout', SEQUENCE, () => tf.layers.dropout({ rate: 0.3 })],
  ].map(([name, shape, layer]) =>
    custom('timeDistributed', name as string, () =>
      between(shape as number[], [tf.layers.timeDistributed({ layer: (layer as () => tf.layers.Layer)() })]),
    ),
  ),
];
