// What a call of fit costs before its first update, and from how many updates on that is worth it, on this machine:
//
//     node examples/when-it-pays.mjs
//
// tfjs trains on the backend that it has in Node without further packages, `cpu`.

import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';

const BATCH_SIZE = 32;

function dense(...widths) {
  const [inputs, ...units] = widths;
  const layers = units.map((width, index) =>
    tf.layers.dense({ units: width, ...(index === 0 && { inputShape: [inputs] }), activation: 'relu' }),
  );
  const model = tf.sequential({ layers });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

function convolutional() {
  const layers = [
    tf.layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: 'softmax' }),
  ];
  const model = tf.sequential({ layers });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  return model;
}

/** Milliseconds of one call that makes so many updates. */
async function time(train, model, updates) {
  const rows = updates * BATCH_SIZE;
  const x = tf.randomUniform([rows, ...model.inputs[0].shape.slice(1)]);
  const y = tf.randomUniform([rows, ...model.outputs[0].shape.slice(1)]);
  const started = performance.now();
  await train(model, x, y, { batchSize: BATCH_SIZE, yieldEvery: 'never' });
  const milliseconds = performance.now() - started;
  tf.dispose([x, y]);
  return milliseconds;
}

/** Fixed cost of a call and time of an update: the line through calls of few and of many updates, medians of five. */
async function measure(train, model, many) {
  const median = async (updates) => {
    const times = [];
    for (let call = 0; call < 5; call++) times.push(await time(train, model, updates));
    return times.sort((a, b) => a - b)[2];
  };
  const [one, all] = [await median(1), await median(many)];
  const update = Math.max(0, (all - one) / (many - 1));
  return { call: Math.max(0, one - update), update };
}

tf.enableProdMode();
const first = await time(fit, dense(10, 20, 1), 1);
console.log(`The first call of a process, with one update: ${first.toFixed(0)} ms\n`);
console.log('batch size 32      tfjs: update   shardfit: call   shardfit: update   pays from');
for (const [name, model, many] of [
  ['10-20-1', dense(10, 20, 1), 400],
  ['64-64-10', dense(64, 64, 10), 200],
  ['784-128-10', dense(784, 128, 10), 20],
  ['convolutional', convolutional(), 5],
]) {
  const tfjs = await measure((m, ...args) => m.fit(...args), model, many);
  const own = await measure(fit, model, many * 10);
  const saved = tfjs.update - own.update;
  const pays = saved > 0 ? `${Math.max(1, Math.ceil((own.call - tfjs.call) / saved))} updates` : 'never';
  const cells = [tfjs.update, own.call, own.update].map((ms) => `${ms.toFixed(2)} ms`.padStart(14));
  console.log(`${name.padEnd(16)} ${cells.join('    ')}    ${pays.padStart(12)}`);
}
