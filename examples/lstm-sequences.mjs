// An LSTM that adds up two numbers of a sequence, those that are marked: node examples/lstm-sequences.mjs
//
// The "adding problem" of Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with short sequences.

import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

const STEPS = 12;

export function build() {
  const model = tf.sequential();
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
  const recurrentInitializer = tf.initializers.orthogonal({ seed: 2 });
  model.add(tf.layers.lstm({ units: 20, inputShape: [STEPS, 2], kernelInitializer, recurrentInitializer }));
  model.add(tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }) }));
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
  return model;
}

/** Each step is a number in [-1, 1] with a mark, 1 at two steps of a sequence and 0 at the others. */
export function data(rows) {
  const numbers = tf.randomUniform([rows, STEPS], -1, 1, 'float32', 1);
  const marks = tf.tidy(() => {
    const [first, second] = [0, STEPS / 2].map((from, i) =>
      tf.oneHot(tf.randomUniform([rows], from, from + STEPS / 2, 'int32', 2 + i), STEPS),
    );
    return tf.add(first, second).toFloat();
  });
  return tf.tidy(() => ({ x: tf.stack([numbers, marks], 2), y: tf.sum(tf.mul(numbers, marks), 1, true) }));
}

if (process.argv[1] === import.meta.filename) {
  const model = build();
  const { x, y } = data(4000);
  const { history } = await fit(model, x, y, { seed: 1, batchSize: 50, epochs: 12, validationSplit: 0.2 });
  const [before, after] = [history.val_loss[0], history.val_loss.at(-1)].map((loss) => loss.toFixed(4));
  console.log(`validation loss ${before} after the first epoch, ${after} after the last; answering 0 has about 0.67`);
}
