/** The report: one file that fetches nothing, whose charts can be drawn, with the numbers that were measured. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type EChartsOption, init } from 'echarts';
import { study } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { pointsOf, type StudyPoint } from '#shardfit/study/grid.js';
import { planOf } from '#shardfit/study/plan.js';
import type { StudyRecord } from '#shardfit/study/record.js';
import { StudyResults } from '#shardfit/study/results.js';
import { temporaryFolder } from '../data/temporary-folder.js';
import { TINY, tinyTask } from './tiny-task.js';

const folder = await temporaryFolder();
let html = '';
beforeAll(async () => {
  await tf.setBackend('cpu');
  await study(tinyTask(), { ...TINY, workers: [2], folder });
  html = await readFile(join(folder, 'report.html'), 'utf8');
});

const withoutScripts = () => html.replaceAll(/<script[\s\S]*?<\/script>/g, '');

/** Options of all charts, with colours as in the light theme. */
function chartOptions(): EChartsOption[] {
  const text = html.match(/id="page-data">(.*?)<\/script>/)?.[1] as string;
  const { palettes, options } = JSON.parse(text);
  return JSON.parse(JSON.stringify(options).replaceAll(/"@([\w-]+)"/g, (_, name) => `"${palettes.light[name]}"`));
}

function drawn(option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 360, height: 300 });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

describe('report.html', () => {
  test('fetches nothing', () => {
    expect(withoutScripts()).not.toMatch(/\b(src|href)=|@import|url\(/);
    expect(html.match(/<script[^>]*>/g)).toEqual([
      '<script type="application/json" id="page-data">',
      '<script>',
      '<script type="module">',
    ]);
  });

  test('shows every figure with a caption and a table', () => {
    const titles = [...html.matchAll(/<figure>\s*<h2>(.*?)<\/h2>/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'Loss against updates',
      'Loss against rows',
      'Loss against seconds',
      'Loss against the time of simulated workers',
      'Rows to the target loss',
      'Time to the target loss',
      'Updates made',
      'Staleness',
      'Final loss and its spread',
      'Batch size, learning rate and time',
    ]);
    expect(html.match(/<figcaption>/g)).toHaveLength(titles.length);
    expect(html.match(/<table>/g)).toHaveLength(titles.length);
  });

  test('escapes what comes from outside', () => {
    expect(html).toContain('6-3 &lt;softmax&gt;');
    expect(html).not.toContain('<softmax>');
  });

  test('holds a place for each chart, and each can be drawn with names on its axes', () => {
    const options = chartOptions();
    expect(html.match(/data-chart/g)?.length).toBe(options.length + 1); // and once in the script
    expect(JSON.stringify(options)).not.toContain('"@');
    for (const option of options) {
      const { name } = option.xAxis as { name: string };
      expect(name).not.toBe('');
      expect(drawn(option)).toContain(`>${name.replace("'", '&#39;')}<`);
    }
  });

  test('says the updates that were made', () => {
    const table = withoutScripts().match(/<h2>Updates made[\s\S]*?<\/figure>/)?.[0] as string;
    const cells = [...table.matchAll(/<tr><th scope="row">(.*?)<\/th><td>(.*?)<\/td><td>(.*?)<\/td>/g)];
    expect(cells.map(([, ...row]) => row)).toEqual([
      ['sync, 2 threads', '12', '4'],
      ['sync, 3 simulated', '12', '4'],
      ['per-shard, 2 threads', '24', '8'],
      ['per-shard, 3 simulated', '36', '12'],
      ['local, 2 threads', '2', '2'],
      ['local, 3 simulated', '2', '2'],
    ]);
  });
});

describe('the results of a study', () => {
  const plan = planOf({
    folder: '',
    rules: ['sync'],
    batchSizes: [10],
    workers: [2],
    virtualWorkers: [],
    seeds: [0, 1],
  });
  const points = pointsOf(plan);
  /** Trainings whose loss falls by the learning rate at each of 3 epochs; the fastest one diverges with seed 1. */
  const record = (point: StudyPoint): StudyRecord => {
    const lossAt = (epoch: number) =>
      point.learningRate === 0.3 && point.seed === 1 ? null : 1 - epoch * point.learningRate;
    const curve = [1, 2, 3].map((epoch) => ({
      updates: 5 * epoch,
      rows: 50 * epoch,
      seconds: epoch,
      loss: lossAt(epoch),
    }));
    return { point, rows: 50, updates: 15, seconds: 3, miniBatches: 5, curve, final: { loss: lossAt(3) } };
  };
  const results = (target?: number) => new StudyResults(plan, points.map(record), points.length, target);

  test('the best learning rate is the one of the lowest mean loss over all seeds', () => {
    const { series } = results();
    expect(results().best(series[0] as never, 10)?.learningRate).toBe(0.1);
  });

  test('the target is reached after the first epoch that comes as low', () => {
    const { series } = results();
    const records = results().recordsOf(series[0] as never, 10, 0.3);
    expect(results(0.5).arrival(records)).toEqual({
      reached: 1,
      of: 2,
      updates: 10,
      rows: 100,
      seconds: 2,
      simulatedTime: Number.NaN,
    });
    expect(results(0.01).arrival(records)).toMatchObject({ reached: 0, of: 2, rows: Number.NaN });
  });

  test('the target is one that half of the trainings reach', () => {
    // Lowest losses: 0.1, infinite, 0.7, 0.7, 0.91, 0.91.
    expect(results().target).toBeCloseTo(0.7);
  });
});
