/** A model that cannot be traced, whose loss tells which backend of tfjs computes it: 1 for wasm, 2 for cpu. */
import * as tf from '@tensorflow/tfjs';

class Reading extends tf.layers.Layer {
  static className = 'Reading';

  call(inputs) {
    const [x] = [inputs].flat();
    return tf.mul(x, x.dataSync()[0] > 1e9 ? 2 : 1);
  }
}
tf.serialization.registerClass(Reading);

export function build() {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [6] }), new Reading({})] });
  const told = () => (tf.getBackend() === 'wasm' ? 1 : 2);
  const loss = (_, z) => tf.add(tf.mul(tf.sum(z, -1), 0), told());
  model.compile({ optimizer: tf.train.sgd(0.1), loss });
  return model;
}
