import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../data/temporary-folder.js';
import { startCli } from './run-cli.js';

const folder = await temporaryFolder();
const explain = (...args: string[]) => startCli('explain', '--epochs', '3', ...args).ended;

test('prints the counts, and the answer made of them', async () => {
  const page = join(folder, 'answer.html');
  const { code, stdout, stderr } = await explain('--batch-size', '20', '--workers', '4', '--html', page);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    /\n +sync +1 +1 +19\.85 +60 +[\d.]+ +[\d.]+ s +0\n +sync +4 +1 +19\.85 +60 +[\d.]+ +[\d.]+ s +0\n/,
  );
  expect(stdout).toMatch(/\n +per-shard +4 +4 +4\.96 +240 +[\d.]+ +[\d.]+ s +0\.\d+\n/);
  expect(stdout).toMatch(
    /\n +single-sample +1 +397 +\d+ % .*\n +mini-batch +20 +20 +\d+ % .*\n +full-batch +397 +1 +0 % /,
  );
  expect(stdout).toMatch(/Staleness: [\d.]+ updates on average, \d+ at most/);
  expect(stdout).toMatch(
    /Answer: no\.\n +A mini-batch of 20 rows makes 1 update of the weights, .* 1 thread computes\n +them or 4\./,
  );
  const html = await readFile(page, 'utf8');
  expect(html).toContain('Does batch_size mean that many threads');
  expect(html.match(/<figure>/g)).toHaveLength(3);
});

test('--json prints the counts as one object', async () => {
  const { stdout } = await explain('--batch-size', '50', '--workers', '2', '--json');
  const { allThreads, perShard } = JSON.parse(stdout);
  expect(allThreads).toMatchObject({ updatesPerMiniBatch: 1, largestDifference: 0 });
  expect(perShard).toMatchObject({ updatesPerMiniBatch: 2 });
});

test('a page that cannot be written is refused before the work', async () => {
  const { code, stdout, stderr } = await explain('--html', join(folder, 'missing', 'answer.html'));
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/--html .* cannot be written: make the folder .* first/);
});
