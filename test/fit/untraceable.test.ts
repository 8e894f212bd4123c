/** A model that neither the compiler nor tfjs in the workers can take is refused with the reason first. */
import * as tf from '@tensorflow/tfjs';
import { evaluate, fit } from 'shardfit';
import { beforeAll, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';
import { expectNoThreads } from './support/threads.js';

beforeAll(() => tf.setBackend('cpu'));

function readingMetric(): tf.LayersModel {
  const model = mlp();
  const counted = (_: tf.Tensor, predictions: tf.Tensor) => tf.scalar(predictions.dataSync().length);
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: [counted] });
  return model;
}

it.each([
  [
    'fit',
    (onWarning: (m: string) => void) => {
      const { x, y } = classes(10);
      return fit(readingMetric(), x, y, { onWarning });
    },
  ],
  [
    'evaluate',
    () => {
      const { x, y } = classes(10);
      return evaluate(readingMetric(), x, y);
    },
  ],
] as const)('%s says which metric is the reason, and then what to do', async (name, call) => {
  const warnings: string[] = [];
  const error = await expectNoThreads(() =>
    call((m) => warnings.push(m)).then(
      () => undefined,
      (failure: Error) => failure,
    ),
  );
  expect(error).toBeInstanceOf(TypeError);
  expect(error?.message).toMatch(
    /^metric 'counted' reads the value of a tensor .*; compute with tfjs operations only\. /,
  );
  expect(error?.message).toContain('a metric is a function, which cannot be sent there: give modelModule');
  if (name === 'fit') expect(warnings.join()).toMatch(/^metric 'counted' reads .* tfjs computes the steps/);
});

class Reading extends tf.layers.Layer {
  static className = 'Reading';
  override call([x]: tf.Tensor[]): tf.Tensor {
    return tf.mul(x as tf.Tensor, (x as tf.Tensor).dataSync().length);
  }
}

it('a layer of the user that reads values is named, and what workers need to build it', async () => {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [6] }), new Reading({ name: 'mine' })],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const { x, y } = classes(10);
  await expect(fit(model, x, y, { workers: 2 })).rejects.toThrow(
    /layer 'mine' reads the value of a tensor .*; tfjs would compute it, but the model cannot be built anew in a worker: the layer class 'Reading' is not tfjs' own, and unknown there; give modelModule/,
  );
});
