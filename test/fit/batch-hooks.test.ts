/** What a batch hook changes comes too late for workers that are ahead: it is told, once. */
import * as tf from '@tensorflow/tfjs';
import { adam, type FitOptions, fit } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { classes, mlp } from './support/models.js';

beforeAll(() => tf.setBackend('cpu'));

type Hooks = (model: tf.LayersModel) => tf.CustomCallbackArgs;

async function warningsOf(hooks: Hooks, options: FitOptions = {}): Promise<string[]> {
  const model = mlp(tf.train.sgd(0.1));
  const { x, y } = classes(20, [6]);
  const told: string[] = [];
  const callbacks = hooks((model as unknown as { model: tf.LayersModel }).model);
  const onWarning = (warning: string) => void told.push(warning);
  const { run } = await fit(model, x, y, { batchSize: 4, epochs: 3, workers: 2, callbacks, onWarning, ...options });
  expect(run.warnings).toEqual(told);
  return told;
}

const setRate = (model: tf.LayersModel, rate: number) => {
  (model.optimizer as unknown as { learningRate: number }).learningRate = rate;
};

describe('a callback', () => {
  it.each(['onBatchBegin', 'onBatchEnd'] as const)('that changes the rate in %s is told, once', async (hook) => {
    const warnings = await warningsOf((model) => ({
      [hook]: async (batch: number) => setRate(model, 0.1 / (batch + 1)),
    }));
    expect(warnings).toEqual([
      expect.stringMatching(/^a callback changed the learning rate during an epoch: .* next epoch/),
    ]);
  });

  it('that changes the weights in onBatchEnd is told, once', async () => {
    const halve = (model: tf.LayersModel) => model.setWeights(model.getWeights().map((weight) => tf.div(weight, 2)));
    const warnings = await warningsOf((model) => ({ onBatchEnd: async () => halve(model) }));
    expect(warnings).toEqual([expect.stringMatching(/^a callback changed the model's weights .* it has no effect/)]);
  });

  it('that changes the rate of an optimizer that does not train is told', async () => {
    const options = { optimizer: adam() };
    const warnings = await warningsOf((model) => ({ onBatchEnd: async (batch) => setRate(model, batch + 1) }), options);
    expect(warnings.join()).toContain('fit was given another one');
  });

  it('that changes both between epochs is not', async () => {
    const change = (model: tf.LayersModel, epoch: number) => {
      setRate(model, 0.1 / (epoch + 2));
      model.setWeights(model.getWeights().map((weight) => tf.div(weight, 2)));
    };
    const warnings = await warningsOf((model) => ({
      onTrainBegin: async () => change(model, 0),
      onEpochBegin: async (epoch) => change(model, epoch),
      onEpochEnd: async (epoch) => change(model, epoch),
      onBatchEnd: async () => {},
    }));
    expect(warnings).toEqual([]);
  });
});
