/** A model that cannot be traced: its layer reads a value, and its loss is a function. */
import * as tf from '@tensorflow/tfjs';

class ScaledByFirst extends tf.layers.Layer {
  static className = 'ScaledByFirst';

  call(inputs) {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    return tf.mul(x, x.dataSync()[0] > 0 ? 2 : 3);
  }
}
tf.serialization.registerClass(ScaledByFirst);

export function build() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 4, inputShape: [6], activation: 'tanh' }));
  model.add(new ScaledByFirst({}));
  model.add(tf.layers.dense({ units: 3 }));
  const loss = (y, z) => tf.mean(tf.square(tf.sub(y, z)), -1);
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss });
  return model;
}
