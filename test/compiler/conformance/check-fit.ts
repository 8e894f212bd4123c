/** Five updates with two workers against tfjs' own. */
import * as tf from '@tensorflow/tfjs';
import { fit } from 'shardfit';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { runProgram, specsOf } from '../run-program.js';
import { relativeError } from '../tfjs-step.js';
import { Draws, SEED } from './draws.js';
import { type LayerCase, targetsOf } from './layer-case.js';

const BATCH = 4;
const UPDATES = 5;
const RATE = 0.05;

/** The largest relative difference over all weights after five updates. */
export async function checkFit(layerCase: LayerCase): Promise<number> {
  const actual = layerCase.build();
  const expected = layerCase.equivalent?.build() ?? layerCase.build();
  const rows = BATCH * UPDATES;
  const [x, y] = [layerCase.features(rows), targetsOf(actual, rows)];
  if (layerCase.numerical) await stepByStep(expected, x, y);
  else await tfjsFit(expected, x, y);
  await fit(actual, x as never, y as never, {
    batchSize: BATCH,
    shuffle: false,
    workers: 2,
    seed: SEED,
  });
  const [a, b] = [actual.getWeights(), expected.getWeights()];
  if (worst(a, layerCase.build().getWeights()) < 1e-4) throw new Error('training moved no weight');
  return worst(a, b);
}

function worst(a: tf.Tensor[], b: tf.Tensor[]): number {
  return Math.max(...a.map((weight, i) => relativeError(weight.dataSync(), (b[i] as tf.Tensor).dataSync())));
}

async function tfjsFit(model: tf.LayersModel, x: tf.Tensor[], y: tf.Tensor[]): Promise<void> {
  const draws = new Draws();
  const installed = draws.install(model, BATCH);
  try {
    const callbacks = { onBatchEnd: async () => draws.nextBatch() };
    await model.fit(x, y, { batchSize: BATCH, shuffle: false, callbacks });
  } finally {
    installed.restore();
  }
}

/** Where tfjs' gradients are wrong: the compiled step on whole batches, which `checkStep` compares with derivatives. */
async function stepByStep(model: tf.LayersModel, x: tf.Tensor[], y: tf.Tensor[]): Promise<void> {
  const program = compileTrainingStep(model, BATCH, specsOf(x), specsOf(y));
  for (let update = 0; update < UPDATES; update++) {
    const batch = (t: tf.Tensor) => tf.slice(t, [update * BATCH], [BATCH]);
    const { gradients } = await runProgram(program, model, {
      features: x.map(batch),
      targets: y.map(batch),
    });
    for (const [index, gradient] of gradients) {
      const { val } = model.weights[index] as unknown as { val: tf.Variable };
      val.assign(tf.sub(val, tf.mul(tf.tensor(gradient, val.shape), RATE)));
    }
  }
}
