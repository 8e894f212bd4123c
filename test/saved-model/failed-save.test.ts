import type * as FileSystem from 'node:fs/promises';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, expect, test, vi } from 'vitest';
import { loadModel } from '#shardfit/saved-model/load-model.js';
import { saveModel } from '#shardfit/saved-model/save-model.js';
import { SavedModelError } from '#shardfit/saved-model/saved-model-error.js';
import { modelOf, PREPROCESSING, temporaryFolder, weightsOf } from './models.js';

/** Files whose name holds this are written in part, as on a disk that fills up. */
const disk = vi.hoisted(() => ({ fullAt: undefined as string | undefined }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FileSystem>();
  const open = async (path: string, flags?: string) => {
    const handle = await real.open(path, flags);
    if (disk.fullAt === undefined || !path.includes(disk.fullAt)) return handle;
    handle.writeFile = async (content) => {
      await handle.write(String(content).slice(0, 10));
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    return handle;
  };
  return { ...real, open };
});

afterEach(() => {
  disk.fullAt = undefined;
});

tf.enableProdMode();
const root = await temporaryFolder();
let folders = 0;

test.each(['weights', 'normalizer', 'model.json'])(
  'a disk that is full at the %s file leaves the older model and nothing of the new one',
  async (file) => {
    const folder = join(root, `full-${folders++}`);
    await saveModel(folder, modelOf(1), PREPROCESSING);
    const before = await readdir(folder);
    disk.fullAt = file;
    const other = { ...PREPROCESSING, target: { name: 'z', kind: 'number' as const } };
    const error = await saveModel(folder, modelOf(2), other).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SavedModelError);
    expect((error as Error).message).toMatch(new RegExp(`^cannot write ${folder}/${file}.*: the disk is full$`));
    expect(await readdir(folder)).toEqual(before);
    expect(weightsOf((await loadModel(folder)).model)).toEqual(weightsOf(modelOf(1)));
    disk.fullAt = undefined;
    await saveModel(folder, modelOf(2), other);
    expect(weightsOf((await loadModel(folder)).model)).toEqual(weightsOf(modelOf(2)));
  },
);

test('a layer that cannot be described leaves no folder behind', async () => {
  const model = modelOf(1);
  const [layer] = model.layers as [tf.layers.Layer];
  layer.getConfig = () => {
    throw new Error('no config');
  };
  await mkdir(join(root, 'none'));
  await expect(saveModel(join(root, 'none', 'model'), model)).rejects.toThrow('no config');
  expect(await readdir(join(root, 'none'))).toEqual([]);
});

test('folders that were made for a model that could not be written are taken away', async () => {
  await mkdir(join(root, 'above'));
  disk.fullAt = 'weights';
  await expect(saveModel(join(root, 'above', 'a', 'b'), modelOf(1))).rejects.toThrow(/the disk is full/);
  expect(await readdir(join(root, 'above'))).toEqual([]);
});
