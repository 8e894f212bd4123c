import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { renderPng } from '#shardfit/study/page/png.js';
import { temporaryFolder } from '../data/temporary-folder.js';
import { darkPixels, readPng } from './read-png.js';
import { startCli } from './run-cli.js';

const folder = await temporaryFolder();
const SHORT = ['--workers', '2', '--rounds', '2', '--seconds', '0.02'];
const bench = (...args: string[]) => startCli('bench', ...SHORT, ...args).ended;

test('measures both scalings of a workload and writes table, report and chart', async () => {
  const [csv, json, charts] = ['table.csv', 'report.json', 'charts'].map((name) => join(folder, name));
  const files = ['--csv', csv, '--json', json, '--charts', charts] as string[];
  const { code, stdout, stderr } = await bench('--workload', '10-20-1', '--batch-size', '8', ...files);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/\n10-20-1 \(8\): .* MFLOP an update, 1 KiB of weights, 2 meetings of shards of rows/);
  expect(stdout).toMatch(/\n +alone +1 +8 .*\n +strong +2 +8 .*\n +weak +2 +16 /);
  expect(stdout).toMatch(/\n +limits of 2 threads: [\d.]+ GFLOP\/s of matrix products/);
  expect(stdout).toMatch(/\n +fastest with \d workers?; by the prediction with \d worker/);
  expect((await readFile(csv as string, 'utf8')).trimEnd().split('\n')).toHaveLength(4);
  const { measurements, workloads } = JSON.parse(await readFile(json as string, 'utf8'));
  expect(measurements.map(({ samples }: { samples: number[] }) => samples.length)).toEqual([2, 2, 2]);
  expect(workloads[0].limits).toHaveLength(2);
  expect((await readdir(charts as string)).sort()).toEqual(['speedup-10-20-1-8.png', 'speedup-10-20-1-8.svg']);
  await expectText(join(charts as string, 'speedup-10-20-1-8'));
});

/** A chart's PNG holds the texts of its SVG: the title's place is dark, and is not in a picture of the same without text. */
async function expectText(chart: string) {
  const svg = await readFile(`${chart}.svg`, 'utf8');
  const png = readPng(await readFile(`${chart}.png`));
  expect([png.width, png.height]).toEqual([1120, 840]);
  const bare = readPng(await renderPng(svg.replaceAll(/<text.*?<\/text>/gs, ''), 2));
  const title = { left: 400, top: 8, right: 720, bottom: 56 };
  const legend = { left: 170, top: 736, right: 1080, bottom: 836 };
  for (const place of [title, legend]) expect(darkPixels(png, place)).toBeGreaterThan(darkPixels(bare, place) + 300);
  expect(darkPixels(bare, title)).toBe(0);
}

test('measures a model file on random rows', async () => {
  const file = join(folder, 'words.json');
  const layers = [
    tf.layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 4 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ];
  await writeFile(file, tf.sequential({ layers }).toJSON() as string);
  const { code, stdout } = await bench('--model', file, '--scaling', 'weak');
  expect(code).toBe(0);
  expect(stdout).toMatch(/\nwords\.json \(64\): .*\n.*\n +alone +1 +64 .*\n +weak +2 +128 /);
});

test('goes on where a model cannot be shared as asked for, and fails if none can', async () => {
  const { code, stderr } = await bench('--workload', '784-128-10,10-20-1', '--split', 'units', '--workers', '3');
  for (const name of ['784-128-10 (128)', '10-20-1 (20)']) {
    expect(stderr).toContain(
      `${name} is left out: split: 'units' cannot cut this model: no layer has units that 3 shards`,
    );
  }
  expect([code, stderr]).toEqual([2, expect.stringContaining('nothing was measured')]);
});

test('says what it cannot measure', async () => {
  const name = await bench('--workload', 'cnm');
  expect([name.code, name.stderr]).toEqual([2, expect.stringMatching(/--workload.*must be one of .*did you mean/is)]);
  const file = await bench('--json', join(folder, 'missing', 'report.json'));
  expect([file.code, file.stderr]).toEqual([2, expect.stringMatching(/--json .* make the folder .* first/)]);
  const model = await bench('--model', join(folder, 'missing.json'));
  expect([model.code, model.stderr]).toEqual([2, expect.stringMatching(/--model .* does not exist/)]);
});
