/** Mean and variance over the rows of several shards: one meeting, and as exact as on one. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectTrainingStep, random } from './expect-step.js';
import { specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });

function compiled(...layers: tf.layers.Layer[]): tf.Sequential {
  const model = tf.sequential({ layers });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

/** `norms` times a dense layer and batch norm. */
function normalized(norms: number): tf.Sequential {
  const { activation, batchNormalization, dense } = tf.layers;
  const blocks = Array.from({ length: norms }, (_, i) => [
    dense({ units: 6, kernelInitializer: seeded(i), ...(i === 0 && { inputShape: [5] }) }),
    batchNormalization({}),
    activation({ activation: 'tanh' }),
  ]);
  return compiled(...blocks.flat(), dense({ units: 2, kernelInitializer: seeded(9) }));
}

describe('shards that normalize by the mini-batch', () => {
  it.each([1, 2, 3])('meet once forwards and once backwards for each of %i norms', (norms) => {
    const [x, y] = [specsOf([random([8, 5], 1)]), specsOf([random([8, 2], 2)])];
    const step = compileTrainingStep(normalized(norms), 4, x, y, [], { batchRows: 8 });
    expect(step.stages).toHaveLength(1 + 2 * norms);
    const kinds = step.exchanges.map(({ collective }) => collective.kind === 'all-reduce' && collective.reduction);
    expect(kinds.filter((kind) => kind === 'moments')).toHaveLength(norms);
  });

  it('have the step of tfjs where the rows of one are far from those of the other, and both from 0', async () => {
    const model = compiled(
      tf.layers.batchNormalization({ inputShape: [5] }),
      tf.layers.dense({ units: 2, activation: 'tanh', kernelInitializer: seeded(1) }),
    );
    // A sum of squares would have lost three digits: 300 squared is 90,000, and the variance about 20.
    const x = tf.concat([tf.add(random([16, 5], 1), 300), tf.add(random([16, 5], 2), 309)]);
    await expectTrainingStep(model, [x], [random([32, 2], 3)]);
  });

  it('have the step of tfjs where something else needs the deviations', async () => {
    const input = tf.input({ shape: [5] });
    class Deviations extends tf.layers.Layer {
      static className = 'Deviations';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.tidy(() => {
          const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
          const deviations = tf.sub(x, tf.mean(x, 0, true));
          const variance = tf.mean(tf.square(deviations), 0, true);
          return tf.add(tf.div(deviations, tf.sqrt(tf.add(variance, 0.1))), tf.mul(tf.sin(deviations), x));
        });
      }
    }
    const outputs = tf.layers
      .dense({ units: 2, kernelInitializer: seeded(1) })
      .apply(new Deviations({}).apply(input)) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await expectTrainingStep(model, [random([12, 5], 4)], [random([12, 2], 5)]);
  });
});
