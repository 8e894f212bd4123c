import * as tf from '@tensorflow/tfjs';
import { classification, randomClasses, uniform, workload } from './workload.js';

/** An LSTM of 64 units over 32 steps of 16 numbers, and dense 10 on its last state. */
export const lstm = workload({
  name: 'LSTM',
  data: (rows) => classification(rows, [32, 16], 10),
  layers: () =>
    tf.sequential({
      layers: [
        tf.layers.lstm({
          name: 'lstm1',
          units: 64,
          inputShape: [32, 16],
          // tfjs' default, 'hardSigmoid', is in no other library.
          recurrentActivation: 'sigmoid',
          kernelInitializer: uniform(1),
          recurrentInitializer: uniform(2),
        }),
        tf.layers.dense({ name: 'dense1', units: 10, activation: 'softmax', kernelInitializer: uniform(3) }),
      ],
    }),
});

const WORDS = 5000;
const LENGTH = 64;

/** 64 words of 5000, embedded in 64 dimensions and averaged, dense 64, dense 10. */
export const embedding = workload({
  name: 'embedding',
  data: (rows) => ({
    x: tf.randomUniform([rows, LENGTH], 0, WORDS, 'int32', 1),
    y: randomClasses(rows, 10),
  }),
  layers: () =>
    tf.sequential({
      layers: [
        tf.layers.embedding({
          name: 'embedding1',
          inputDim: WORDS,
          outputDim: 64,
          inputLength: LENGTH,
          embeddingsInitializer: tf.initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: 1 }),
        }),
        tf.layers.globalAveragePooling1d({}),
        tf.layers.dense({ name: 'dense1', units: 64, activation: 'relu', kernelInitializer: uniform(2) }),
        tf.layers.dense({ name: 'dense2', units: 10, activation: 'softmax', kernelInitializer: uniform(3) }),
      ],
    }),
});
