/** The engine 'tfjs' in this thread, one call at a time. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import type { Arena } from '#shardfit/common/arena.js';
import type { EagerModel, Pass, ReplicaSetup } from '#shardfit/common/protocol.js';
import { trainableModel } from '#shardfit/coordinator/check-model.js';
import type { FitOptions } from '#shardfit/coordinator/options.js';
import { resolveOptions } from '#shardfit/coordinator/options.js';
import { prepareFit } from '#shardfit/coordinator/prepare.js';
import { TfjsEngine } from '#shardfit/worker/tfjs-engine.js';
import { classes, mlp } from '../fit/support/models.js';

beforeAll(() => tf.setBackend('cpu'));

const SHARD = { index: 0, start: 0, rows: 8, firstRow: 0, share: 1, batchRows: 8, step: 0, batchNumber: 0 };

async function prepare(options: FitOptions): Promise<{ arena: Arena; setup: ReplicaSetup; pass: Pass }> {
  const { x, y } = classes(8, [6]);
  const resolved = resolveOptions({ ...options, engine: 'tfjs', workers: 1, shards: 1, shuffle: false });
  const { arena, setup, training } = await prepareFit(trainableModel(mlp()), x, y, resolved);
  const { value } = await training.epoch()[Symbol.asyncIterator]().next();
  return { arena, setup: { ...setup, rank: 0, port: new MessageChannel().port1 as never }, pass: value as Pass };
}

async function engineOf({ arena, setup, pass }: Awaited<ReturnType<typeof prepare>>): Promise<TfjsEngine> {
  const engine = await TfjsEngine.create(arena, setup, setup.eager as EagerModel);
  engine.useData(pass.data, false);
  return engine;
}

it.each(['per-shard', 'local'] as const)(
  'computes on the weights as they were read, whatever others write, under %s',
  async (update) => {
    const prepared = await prepare({ update });
    const { arena } = prepared;
    const engine = await engineOf(prepared);
    const gradient = () => {
      engine.gather('training', SHARD);
      engine.run('training', SHARD);
      return Float32Array.from(arena.floats('gradients'));
    };
    engine.readWeights();
    const before = gradient();
    arena.floats('weights').fill(0.5);
    expect(gradient()).toEqual(before);
    engine.readWeights();
    expect(gradient()).not.toEqual(before);
    engine.dispose();
  },
);

it('leaves no tensors behind, neither of its model nor of its steps', async () => {
  const prepared = await prepare({});
  const before = tf.memory().numTensors;
  const engine = await engineOf(prepared);
  const built = tf.memory().numTensors;
  engine.gather('training', SHARD);
  engine.run('training', SHARD);
  engine.gather('evaluation', SHARD);
  engine.run('evaluation', SHARD);
  expect(tf.memory().numTensors).toBe(built);
  engine.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
