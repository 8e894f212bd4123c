import { expect, test } from 'vitest';
import { speedupChart } from '#shardfit/bench/report/chart.js';
import { scalingCsv } from '#shardfit/bench/report/csv.js';
import { scalingReport } from '#shardfit/bench/report/json.js';
import { epochsFor, scalingPoints, workerCounts } from '#shardfit/bench/scaling-plan.js';
import { scalingResult } from '#shardfit/bench/scaling-results.js';
import { timeShares } from '#shardfit/bench/time-split.js';
import { renderSvg } from '#shardfit/study/page/svg.js';

test('one worker is measured once, the others for each scaling', () => {
  expect(scalingPoints(32, [2], ['strong', 'weak'])).toEqual([
    { scaling: 'strong', workers: 1, batchSize: 32 },
    { scaling: 'strong', workers: 2, batchSize: 32 },
    { scaling: 'weak', workers: 2, batchSize: 64 },
  ]);
  expect(scalingPoints(32, [4, 2], ['weak']).map(({ workers }) => workers)).toEqual([1, 2, 4]);
});

test('all cores are tried where they are few, powers of two where they are many', () => {
  expect(workerCounts(3)).toEqual([1, 2, 3]);
  expect(workerCounts(24)).toEqual([1, 2, 4, 8, 16, 24]);
  expect(workerCounts(16)).toEqual([1, 2, 4, 8, 16]);
});

test('epochs come to about as many updates as asked for', () => {
  expect(epochsFor(1000, 128)).toEqual({ batches: 32, epochs: 31 });
  expect(epochsFor(0.3, 128)).toEqual({ batches: 2, epochs: 1 });
});

test('shares of time are those of all threads together', () => {
  const thread = { rank: 0, gatherSeconds: 1, computeSeconds: 2, waitSeconds: 0, exchangeSeconds: 0, reduceSeconds: 1 };
  const other = { ...thread, rank: 1, computeSeconds: 0, waitSeconds: 2, reduceSeconds: 2 };
  const shares = timeShares([thread, { ...other, gatherSeconds: 0 }]);
  expect(shares).toEqual({ compute: 0.25, wait: 0.25, exchange: 0, reduce: 0.375, gather: 0.125 });
});

const shares = { compute: 1, wait: 0, exchange: 0, reduce: 0, gather: 0 };
const rest = { shares, split: 'rows' as const, tensorMemory: 'shared' as const, warnings: [] };
const result = scalingResult(
  'a "net", (32)',
  { flops: 2e6, parameterBytes: 1000, exchange: { rows: { meetings: 2, bytes: 0 }, units: { meetings: 3, bytes: 0 } } },
  {
    points: [
      { scaling: 'strong', workers: 1, batchSize: 32, samples: [4, 4, 4], ...rest },
      { scaling: 'strong', workers: 2, batchSize: 32, samples: [2, 2.5, 3], ...rest },
      { scaling: 'weak', workers: 2, batchSize: 64, samples: [5, 5, 5], ...rest },
    ],
    limits: [
      { threads: 1, matrix: 1e9, copy: 1e9, barrier: 0 },
      { threads: 2, matrix: 2e9, copy: 2e9, barrier: 1e-5 },
    ],
  },
);

test('a speed-up is that of rows per second, with the range of its quartiles', () => {
  const [alone, strong, weak] = result.points;
  expect([alone?.speedup, strong?.speedup, weak?.speedup]).toEqual([1, 1.6, 1.6]);
  expect(strong?.speedupRange[0]).toBeCloseTo(4 / 2.75, 12);
  expect(strong?.speedupRange[1]).toBeCloseTo(4 / 2.25, 12);
  expect(weak?.efficiency).toBe(0.8);
  // 2 MFLOP in 4 ms, of 1 GFLOP/s.
  expect(alone?.limitShare).toBeCloseTo(0.5, 12);
  expect(weak?.limitShare).toBeCloseTo(0.4, 12);
  expect(result.best).toEqual({ measured: 2, predicted: 2 });
});

test('the table has a line for each point', () => {
  const [header, ...lines] = scalingCsv([result]).trimEnd().split('\n');
  expect(header).toMatch(/^workload,scaling,workers,batch_size,split,rounds,ms_median,/);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^"a ""net"", \(32\)",strong,2,32,rows,3,2\.5,2\.25,2\.75,2,3,/);
});

test('a report holds what can be compared with another', () => {
  const origin = { machine: 'm', node: 'v20', date: 'today', rounds: 3, seconds: 1 };
  const { measurements } = scalingReport([result], origin);
  expect(measurements[2]).toEqual({
    name: 'a "net", (32), weak, 2 workers sharing rows',
    unit: 'ms/update',
    samples: [5, 5, 5],
  });
});

test('a chart shows measured and predicted speed-ups as SVG', () => {
  const svg = renderSvg(speedupChart(result), 560, 420);
  expect(svg).toMatch(/^<svg width="560" height="420"/);
  for (const text of ['workers', 'speed-up', 'strong, same mini-batch', 'predicted, weak', 'ideal']) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect(svg).toContain('stroke="#c44e00"');
  expect(svg).not.toContain('@');
  // A file of its own must be XML: no quotes within an attribute.
  expect(svg.match(/font-family:[^;]*/)?.[0]).not.toContain('"');
});
