// Saves three models in turn to a folder, over and over, until it is killed. Run by `killed-save.test.ts`.

import * as tf from '@tensorflow/tfjs';
import { saveModel } from '#shardfit/saved-model/save-model.js';

tf.enableProdMode();
const [, , folder, units] = process.argv;
const models = [1, 2, 3].map((value) => {
  const kernelInitializer = tf.initializers.constant({ value });
  return tf.sequential({ layers: [tf.layers.dense({ units: Number(units), inputShape: [100], kernelInitializer })] });
});
for (let turn = 0; ; turn++) {
  await saveModel(folder, models[turn % 3]);
  if (turn === 0) process.stdout.write('saved\n');
}
