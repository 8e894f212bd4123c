import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../data/temporary-folder.js';
import { events, startCli } from './run-cli.js';

const root = await temporaryFolder();
const GRID = ['--rules', 'sync,per-shard', '--batch-sizes', '64,full', '--workers', '1,2', '--virtual-workers', 'none'];
const SMALL = ['study', '--data', 'digits', '--hidden', '8', ...GRID, '--lrs', '0.1', '--seeds', '1', '--epochs', '2'];
const study = (...args: string[]) => startCli(...SMALL, ...args).ended;

test('tells every training and where the report is; a second time there is nothing to do', async () => {
  const out = join(root, 'told');
  const { code, stdout, stderr } = await study('--out', out);
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe('6 trainings');
  expect(lines[1]).toMatch(
    /^1\/6 {2}sync, 1 thread, batch size 64, learning rate 0\.1, seed 0: loss [\d.]+ {2}\(.* left\)$/,
  );
  expect(lines[4]).toMatch(/^4\/6 {2}sync, 1 thread, batch size 1617,/);
  expect(stdout).toContain(`Done: 6 of 6 trainings.`);
  // 1,617 rows: 26 mini-batches of 64, twice.
  expect(stdout).toMatch(/\n {2}sync, 2 threads +64 +0\.1 +[\d.]+ +52 +[\d.]+ +[\d.]+\n/);
  expect(stdout).toMatch(/\n {2}per-shard, 2 threads +64 +0\.1 +[\d.]+ +104 /);
  expect(stdout).toContain(join(out, 'report.html'));
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('A study on digits');
  const again = events((await study('--out', out, '--json')).stdout);
  expect(again).toEqual([
    { event: 'start', done: 6, total: 6, found: 6 },
    expect.objectContaining({ event: 'done', done: 6, total: 6 }),
  ]);
});

test('Ctrl-C ends it cleanly with code 130; the same command goes on, another one is refused', async () => {
  const out = join(root, 'stopped');
  const long = ['--epochs', '40', '--out', out];
  const { child, ended } = startCli(...SMALL, ...long, '--json');
  for (let lines = 0; lines < 3; ) {
    const [data] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    lines += String(data).split('\n').length - 1;
  }
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/stopped; the same command goes on with what is in .*stopped\n$/);
  const done = events(stdout).length - 1;
  expect(await readFile(join(out, 'report.html'), 'utf8')).toContain(`it shows ${done} of 6 trainings`);

  const other = await study(...long, '--momentum', '0.9');
  expect(other).toMatchObject({ code: 1, stdout: '' });
  expect(other.stderr).toMatch(/belongs to another study: there momentum is 0, here 0\.9; choose another folder/);

  const rest = events((await study(...long, '--json')).stdout);
  expect(rest[0]).toEqual({ event: 'start', done, total: 6, found: done });
  expect(rest.at(-1)).toMatchObject({ event: 'done', done: 6, total: 6 });
});

describe('a wrong command line', () => {
  test.each([
    [['--rules', 'sync', '--sync-every', '2'], '--sync-every belongs to --update local, which is not among the rules'],
    [['--batch-sizes', '8,8'], '--batch-sizes must hold each value once, got 8 twice'],
    [['--straggler', '2'], '--straggler slows a simulated worker down: it needs --virtual-workers'],
    [['--lrs', '0.1,fast'], "option '--lrs <rates>' argument '0.1,fast' is invalid"],
  ])('%j ends with code 2', async (options, message) => {
    const { code, stderr } = await study('--out', join(root, 'none'), ...options);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
