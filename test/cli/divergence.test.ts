import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { divergence } from '#shardfit/cli/divergence.js';
import { modelOf, temporaryFolder } from '../saved-model/models.js';
import { train } from './run-cli.js';

tf.enableProdMode();
const folder = await temporaryFolder();

test('a model that diverged in its last update is not saved, though the loss before it was finite', async () => {
  const save = join(folder, 'model');
  const args = ['--data', 'digits', '--epochs', '1', '--lr', '1e30', '--batch-size', 'full', '--save', save];
  const { code, stdout, stderr } = await train(...args);
  expect(code).toBe(1);
  expect(stdout).toMatch(/\nTraining diverged\.\n/);
  expect(stderr).toMatch(/^shardfit: training diverged, the \S+ is \S+: try .* than 1e\+30; nothing was saved\n$/);
  expect(existsSync(save)).toBe(false);
});

describe('divergence', () => {
  test('is seen in any number of the last epoch', () => {
    expect(divergence(modelOf(1), { loss: 1, val_loss: Number.NaN })).toBe('the val_loss is NaN');
    expect(divergence(modelOf(1), { loss: Number.POSITIVE_INFINITY })).toBe('the loss is Infinity');
    expect(divergence(modelOf(1), { loss: 1, acc: 0 })).toBeUndefined();
  });

  test('is seen in the weights, where no epoch was whole', () => {
    expect(divergence(modelOf(1), undefined)).toBeUndefined();
    expect(divergence(modelOf(Number.NaN), undefined)).toMatch(/^the weights dense\S* hold NaN$/);
  });
});
