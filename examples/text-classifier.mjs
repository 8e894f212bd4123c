// Words to classes, with an embedding and sentences of several lengths: node examples/text-classifier.mjs
//
// Sentences are padded with 0 to the same length. `maskZero` makes the layers behind the embedding pass over the padding.

import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

const PRAISE = ['good', 'fine', 'lovely', 'bright', 'clever'];
const BLAME = ['bad', 'poor', 'ugly', 'dull', 'silly'];
const OTHER = ['the', 'film', 'was', 'plot', 'and', 'very', 'quite', 'actors', 'music'];
const WORDS = ['(padding)', ...PRAISE, ...BLAME, ...OTHER];
const LENGTH = 8;

export function build() {
  const uniform = (seed) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential();
  const embeddingsInitializer = tf.initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed: 1 });
  const size = { inputDim: WORDS.length, outputDim: 8, inputLength: LENGTH };
  model.add(tf.layers.embedding({ ...size, maskZero: true, embeddingsInitializer }));
  model.add(tf.layers.gru({ units: 8, kernelInitializer: uniform(2), recurrentInitializer: uniform(3) }));
  model.add(tf.layers.dense({ units: 1, activation: 'sigmoid', kernelInitializer: uniform(4) }));
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The numbers of a sentence's words, padded: `encode('the film was good')` is [11, 12, 13, 1, 0, 0, 0, 0]. */
export function encode(sentence) {
  const numbers = sentence.split(' ').map((word) => WORDS.indexOf(word));
  return [...numbers, ...Array(LENGTH - numbers.length).fill(0)];
}

/** Sentences of 3 to 8 words, with two or more that praise, or that blame. */
export function data(rows) {
  const labels = Array.from({ length: rows }, (_, row) => row % 2);
  // A formula in place of random numbers: every run has the same sentences.
  const pick = (list, i) => list[Math.floor(Math.abs(Math.sin(i) * 1e4)) % list.length];
  const sentences = labels.map((label, row) => {
    const words = Array.from({ length: 3 + (Math.floor(row / 2) % 6) }, (_, i) => pick(OTHER, row * 8.1 + i));
    for (const at of [0, 2]) words[at] = pick(label ? PRAISE : BLAME, row * 3.7 + at);
    return encode(words.join(' '));
  });
  return { x: tf.tensor2d(sentences), y: tf.tensor2d(labels, [rows, 1]) };
}

if (process.argv[1] === import.meta.filename) {
  const model = build();
  const { x, y } = data(1200);
  const { history } = await fit(model, x, y, { seed: 1, batchSize: 40, epochs: 4, validationSplit: 0.2 });
  const [praise] = model.predict(tf.tensor2d([encode('the plot was clever and very lovely')])).dataSync();
  console.log(
    `validation accuracy ${history.val_acc.at(-1).toFixed(3)}; a new sentence is praise at ${praise.toFixed(2)}`,
  );
}
