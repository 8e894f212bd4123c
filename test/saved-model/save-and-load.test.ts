import { mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { loadModel, modelFolder } from '#shardfit/saved-model/load-model.js';
import { saveModel } from '#shardfit/saved-model/save-model.js';
import { SavedModelError } from '#shardfit/saved-model/saved-model-error.js';
import { modelOf, PREPROCESSING, temporaryFolder, weightsOf } from './models.js';

tf.enableProdMode();
const root = await temporaryFolder();
let folders = 0;

/** A folder that does not exist yet. */
const newFolder = () => join(root, `model-${folders++}`);

async function savedFolder(value = 0.5): Promise<string> {
  const folder = newFolder();
  await saveModel(folder, modelOf(value), PREPROCESSING);
  return folder;
}

const fileOf = async (folder: string, stem: string) =>
  join(folder, (await readdir(folder)).find((name) => name.startsWith(stem)) as string);

async function editManifest(folder: string, edit: (text: string) => string): Promise<void> {
  const path = join(folder, 'model.json');
  await writeFile(path, edit(await readFile(path, 'utf8')));
}

describe('a saved model', () => {
  test('is loaded with its weights and its preprocessing', async () => {
    const { model, preprocessing } = await loadModel(await savedFolder(0.25));
    expect(weightsOf(model)).toEqual(weightsOf(modelOf(0.25)));
    expect(preprocessing).toEqual(PREPROCESSING);
  });

  test('may have no preprocessing', async () => {
    const folder = newFolder();
    await saveModel(folder, modelOf(1));
    expect((await loadModel(folder)).preprocessing).toBeUndefined();
  });

  test('is read by tf.loadLayersModel, over HTTP and from the folder', async () => {
    const folder = await savedFolder(0.75);
    const server = createServer(async (request, response) => {
      response.end(await readFile(join(folder, request.url as string)));
    }).listen(0);
    try {
      const url = `http://localhost:${(server.address() as AddressInfo).port}/model.json`;
      expect(weightsOf(await tf.loadLayersModel(url))).toEqual(weightsOf(modelOf(0.75)));
    } finally {
      server.close();
    }
    expect(weightsOf(await tf.loadLayersModel(modelFolder(folder)))).toEqual(weightsOf(modelOf(0.75)));
  });

  test('is replaced by the next; the one before it stays for its readers, older ones go', async () => {
    const folder = await savedFolder(1);
    const first = await readdir(folder);
    await saveModel(folder, modelOf(2), PREPROCESSING);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(first));
    await saveModel(folder, modelOf(3), PREPROCESSING);
    const weights = (await readdir(folder)).filter((name) => name.startsWith('weights'));
    expect(weights).toHaveLength(2);
    expect(first.filter((name) => weights.includes(name))).toEqual([]);
    expect(weightsOf((await loadModel(folder)).model)).toEqual(weightsOf(modelOf(3)));
  });
});

describe('a folder is not saved to', () => {
  test('if it is none, or the model is none', async () => {
    const swapped = saveModel(modelOf(1) as never, newFolder() as never);
    await expect(swapped).rejects.toThrow('folder must be a string, got an object: saveModel(folder, model)');
    await expect(saveModel(undefined as never, modelOf(1))).rejects.toThrow('got undefined');
    const folder = newFolder();
    await expect(saveModel(folder, { layers: [] } as never)).rejects.toThrow(/^model must be a tf\.LayersModel/);
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  test('if it is a file', async () => {
    const path = join(root, 'file');
    await writeFile(path, 'text');
    await expect(saveModel(path, modelOf(1))).rejects.toThrow(`cannot save to ${path}: it is a file`);
  });

  test('if it holds something else', async () => {
    const folder = newFolder();
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.tex'), 'text');
    await expect(saveModel(folder, modelOf(1))).rejects.toThrow(/it holds other files \(thesis\.tex\)/);
    expect(await readdir(folder)).toEqual(['thesis.tex']);
  });

  test("if its model.json is not one of shardfit's", async () => {
    const folder = newFolder();
    await mkdir(folder);
    await writeFile(join(folder, 'model.json'), '{"mine": true}');
    await expect(saveModel(folder, modelOf(1))).rejects.toThrow(/it holds other files \(model\.json\)/);
  });

  test('but is, if it is empty or holds what a killed save has left', async () => {
    const folder = newFolder();
    await mkdir(folder);
    await writeFile(join(folder, 'weights.0123456789abcdef.bin'), 'half');
    await writeFile(join(folder, 'model.json.123456'), '{"mod');
    await saveModel(folder, modelOf(1));
    expect(weightsOf((await loadModel(folder)).model)).toEqual(weightsOf(modelOf(1)));
  });
});

describe('a damaged model is refused', () => {
  test('with weights cut short', async () => {
    const folder = await savedFolder();
    await truncate(await fileOf(folder, 'weights'), 20);
    await expect(loadModel(folder)).rejects.toThrow(/should hold 68 bytes, got 20: cut short/);
  });

  test('with weights of another model', async () => {
    const [folder, other] = [await savedFolder(1), await savedFolder(2)];
    await rename(await fileOf(other, 'weights'), await fileOf(folder, 'weights'));
    await expect(loadModel(folder)).rejects.toThrow(/is not what model\.json was saved with/);
  });

  test('with a changed or missing normalizer', async () => {
    const changed = await savedFolder();
    const path = await fileOf(changed, 'normalizer');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"mean":[1,', '"mean":[9,'));
    await expect(loadModel(changed)).rejects.toThrow(/normalizer.* is not what model\.json was saved with/);
    const missing = await savedFolder();
    await rename(await fileOf(missing, 'normalizer'), join(root, 'elsewhere.json'));
    await expect(loadModel(missing)).rejects.toThrow(/normalizer.* does not exist; the saved model is not complete/);
  });

  test('with half a model.json, or none', async () => {
    const folder = await savedFolder();
    await editManifest(folder, (text) => text.slice(0, 100));
    await expect(loadModel(folder)).rejects.toThrow(/model\.json is not JSON/);
    await expect(loadModel(root)).rejects.toThrow(/model\.json does not exist; name a folder with a saved model/);
  });

  test.each(['../outside.bin', '/etc/hostname', 'sub/weights.bin', '..', 'C:\\weights.bin'])(
    'if it names a file outside of its folder: %s',
    async (name) => {
      const folder = await savedFolder();
      await editManifest(folder, (text) =>
        text.replace(/weights\.[0-9a-f]{16}\.bin/, JSON.stringify(name).slice(1, -1)),
      );
      await expect(loadModel(folder)).rejects.toThrow(`names the file '${name}', which is not in its folder`);
    },
  );

  test('if a file of it is a link that leads out', async () => {
    const folder = await savedFolder();
    const weights = await fileOf(folder, 'weights');
    await rename(weights, join(root, 'real.bin'));
    await symlink(join(root, 'real.bin'), weights);
    await expect(loadModel(folder)).rejects.toThrow(/which is not in its folder/);
  });
});

describe('saveModel refuses preprocessing that loadModel could not read, and writes nothing:', () => {
  const { normalizer, target } = PREPROCESSING;
  test.each([
    ['an empty object', {}],
    ['a text', 'abc'],
    ['null', null],
    ['statistics of fewer columns', { normalizer: { ...normalizer, mean: [1] }, target }],
    ['a mean that is no number', { normalizer: { ...normalizer, mean: [1, Number.NaN] }, target }],
    ['a target of an unknown kind', { normalizer, target: { name: 'y', kind: 'colour' } }],
  ])('%s', async (_, preprocessing) => {
    const folder = newFolder();
    await expect(saveModel(folder, modelOf(1), preprocessing as typeof PREPROCESSING)).rejects.toThrow(
      /^preprocessing must be \{ normalizer: .*, got one with /,
    );
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });
});

describe('a model.json that tfjs wrote and somebody damaged is named, and leaves no tensors:', () => {
  type Spec = { name: string; shape: number[]; dtype: string };
  type Json = { weightsManifest: { paths: string[]; weights: Spec[] }[]; modelTopology: { config: object } };
  test.each<[string, (json: Json, specs: Spec[]) => void]>([
    ['a weight of another name', (_, [first]) => Object.assign(first as Spec, { name: 'other' })],
    ['a weight of another shape', (_, [first]) => Object.assign(first as Spec, { shape: [3, 2] })],
    ['a weight of another type', (_, [first]) => Object.assign(first as Spec, { dtype: 'int32' })],
    ['unknown quantization', (_, [first]) => Object.assign(first as Spec, { quantization: { dtype: 'foo' } })],
    ['a topology without layers', (json) => Object.assign(json.modelTopology, { config: {} })],
  ])('%s', async (_, damage) => {
    const folder = await savedFolder();
    await editManifest(folder, (text) => {
      const { userDefinedMetadata: _, ...json } = JSON.parse(text);
      damage(json, json.weightsManifest[0].weights);
      return JSON.stringify(json);
    });
    const before = tf.memory().numTensors;
    const error = await loadModel(folder).catch((error) => error);
    expect(error).toBeInstanceOf(SavedModelError);
    expect(error.message).toMatch(/model\.json does not make a model: .*; save the model again$/s);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('more files than a process may open', async () => {
    const folder = await savedFolder();
    await editManifest(folder, (text) => {
      const { userDefinedMetadata: _, ...json } = JSON.parse(text);
      json.weightsManifest[0].paths = Array(20_000).fill(json.weightsManifest[0].paths[0]);
      return JSON.stringify(json);
    });
    await expect(loadModel(folder)).rejects.toThrow(/ should hold \d+ bytes, got \d+: cut short or of another model/);
  });
});
