/** The examples, run as a user would; and their models, which train to the weights of tfjs' `model.fit` on one thread. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { fit, type TensorInput } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameHistory, expectSameWeights } from '../fit/support/matchers.js';

interface Example {
  build(): tf.LayersModel;
  data(rows: number): { x: TensorInput; y: TensorInput };
}

/** With what the output must say at least: its first number that matters, and the bound that shows that it has learned. */
const EXAMPLES: [name: string, figure: RegExp, learned: (figure: number) => boolean][] = [
  ['residual-cnn', /validation accuracy ([\d.]+)/, (accuracy) => accuracy > 0.8],
  ['lstm-sequences', /([\d.]+) after the last/, (loss) => loss < 0.05],
  ['text-classifier', /validation accuracy ([\d.]+)/, (accuracy) => accuracy > 0.95],
  ['two-inputs-two-outputs', /val_chosen_acc +([\d.]+)/, (accuracy) => accuracy > 0.95],
  ['autoencoder', /([\d.]+) after the last/, (error) => error < 0.03],
];

beforeAll(() => tf.setBackend('cpu'));

describe.each(EXAMPLES)('%s', (name, figure, learned) => {
  // 22 rows in mini-batches of 8, 8 and 6: shards of 3+3+2 and 2+2+2 rows.
  const ARGS = { batchSize: 8, epochs: 2, shuffle: false };
  let example: Example;
  let reference: { model: tf.LayersModel; history: tf.History };

  beforeAll(async () => {
    example = await import(`../../examples/${name}.mjs`);
    const model = example.build();
    const { x, y } = example.data(22);
    reference = { model, history: await model.fit(x as tf.Tensor, y as tf.Tensor, ARGS) };
  });

  it.each([1, 2, 3])('has the weights and the History of tfjs with %i workers', async (workers) => {
    const model = example.build();
    const { x, y } = example.data(22);
    const history = await fit(model, x, y, { ...ARGS, workers });
    expect(history.run.updates).toBe(6);
    expect(history.run.warnings).toEqual([]);
    expectSameWeights(model, reference.model, 0.05);
    expectSameHistory(history, reference.history);
  });

  it('learns when it is run', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [`examples/${name}.mjs`]);
    const [, value] = stdout.match(figure) ?? [];
    expect(Number(value), stdout).toSatisfy(learned);
  });
});
