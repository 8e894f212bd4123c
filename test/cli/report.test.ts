/** The end of a run as it is told, of runs that depend on the machine. */
import type { RunSummary } from 'shardfit';
import { expect, test } from 'vitest';
import { jsonReport } from '#shardfit/cli/report/json-report.js';
import type { EpochResult } from '#shardfit/cli/report/report.js';
import { summaryLines } from '#shardfit/cli/report/summary.js';

const settled = { workers: 1, tried: [8, 4, 2, 1].map((workers) => ({ workers, millisecondsPerUpdate: workers })) };
const run: RunSummary = {
  ...{ rows: 100, validationRows: 0, miniBatches: 4, epochs: 1, updates: 4, workers: 8, shards: 8, batchSize: 25 },
  split: 'rows',
  ...{
    update: 'sync',
    seconds: 1,
    samplesPerSecond: 100,
    milestones: [],
    threads: [],
    tensorMemory: 'shared',
    pushed: 0,
  },
  warnings: ['the model cannot be cut'],
};
const outcome = { weightsSha256: 'abc', interrupted: false, diverged: false };

function json(of: RunSummary, kept?: EpochResult): Record<string, unknown> {
  const lines: string[] = [];
  const output = { line: (text: string) => lines.push(text), error() {}, terminal: false, onClosed() {} };
  jsonReport(output, { quiet: false }).end({ run: of, kept, ...outcome });
  return JSON.parse(lines[0] as string);
}

test('--json has warnings and how many workers were the fastest, where there are any', () => {
  expect(json({ ...run, settled })).toMatchObject({ warnings: run.warnings, workers: 8, settled });
  expect(Object.keys(json({ ...run, warnings: [] }))).not.toContain('warnings');
});

test('the summary names the threads that trained', () => {
  const text = (of: RunSummary) => summaryLines({ run: of, ...outcome }).join('\n');
  expect(text({ ...run, settled })).toMatch(/threads +1 of 8, which was faster .* cut into 8 shards\n/);
  expect(text({ ...run, settled })).toContain('computed by 1 thread (which is faster here than all 8)');
  expect(text({ ...run, settled: { ...settled, workers: 8 } })).toMatch(/threads +8, each mini-batch/);
  expect(text(run)).toContain('computed by 8 threads together, each on its share of those rows');
  expect(text({ ...run, workers: 1, shards: 1 })).toMatch(/threads +1, each mini-batch left whole\n/);
});

test('the summary and --json tell the loss of the epoch whose weights were kept', () => {
  const kept = { epoch: 1, logs: { loss: 0.25, val_loss: 1 / 3 } };
  const text = (epochs: number) => summaryLines({ run: { ...run, epochs }, kept, ...outcome }).join('\n');
  expect(text(2)).toMatch(/result +loss 0.2500 {2}val_loss 0.3333\n/);
  expect(text(4)).toMatch(/val_loss 0.3333 {3}in epoch 2\n/);
  const stopped = summaryLines({ run: { ...run, epochs: 4 }, kept, ...outcome, interrupted: true }).join('\n');
  expect(stopped).toMatch(/val_loss 0.3333 {3}after epoch 2\n/);
  expect(summaryLines({ run, ...outcome }).join('\n')).not.toContain('result');
  expect(json(run, kept)).toMatchObject({ epochs: 1, result: { epoch: 1, loss: 0.25, val_loss: 1 / 3 } });
});

test("the summary says where threads shared the layers' units", () => {
  const text = summaryLines({ run: { ...run, split: 'units', batchSize: 4 }, ...outcome }).join('\n');
  expect(text).toMatch(/threads +8, each mini-batch shared by 8 shards of the layers' units\n/);
  expect(text).toContain("computed by 8 threads together, each on its share of the layers' units");
});
