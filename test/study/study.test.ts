import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type StudyOptions, type StudyProgress, study } from 'shardfit';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../data/temporary-folder.js';
import { TINY, tinyTask } from './tiny-task.js';

beforeAll(() => tf.setBackend('cpu'));
const root = await temporaryFolder();
let folders = 0;
const newFolder = () => join(root, `study ${folders++}`);

async function journalOf(folder: string): Promise<{ point: unknown; updates: number; final: object }[]> {
  const [, ...lines] = (await readFile(join(folder, 'journal.jsonl'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** What of a journal must be the same every time: all but the seconds. */
const outcomes = async (folder: string) =>
  (await journalOf(folder)).map(({ point, updates, final }) => ({ point, updates, final }));

async function run(options: Partial<StudyOptions> & { folder: string }) {
  const states: StudyProgress[] = [];
  const summary = await study(tinyTask(), { ...TINY, onProgress: (state) => states.push(state), ...options });
  return { summary, states };
}

/** Ends a study once `count` trainings are done. */
async function stopped(folder: string, count: number): Promise<void> {
  const controller = new AbortController();
  const onProgress = ({ done }: StudyProgress) => done === count && controller.abort();
  const error = await study(tinyTask(), { ...TINY, folder, signal: controller.signal, onProgress }).catch(
    (reason: unknown) => reason,
  );
  expect(controller.signal.aborted).toBe(true);
  expect(error).toBe(controller.signal.reason);
}

test('trains the whole grid, tells how it goes, and writes report and table', async () => {
  const folder = newFolder();
  const { summary, states } = await run({ folder });
  expect(summary).toMatchObject({
    done: 6,
    total: 6,
    report: join(folder, 'report.html'),
    csv: join(folder, 'runs.csv'),
  });
  // 54 rows, twice: 6 mini-batches of 9, or 2 of 27, of 3 shards each; local averages once an epoch.
  expect(summary.comparisons.map(({ name, batchSize, updates }) => `${name}: ${batchSize}, ${updates}`)).toEqual([
    'sync, 3 simulated: 9, 12',
    'sync, 3 simulated: 27, 4',
    'per-shard, 3 simulated: 9, 36',
    'per-shard, 3 simulated: 27, 12',
    'local, 3 simulated: 9, 2',
    'local, 3 simulated: 27, 2',
  ]);
  for (const { loss, seconds } of summary.comparisons) expect([loss, seconds]).toEqual([expect.any(Number), null]);
  expect(states.map(({ done }) => done)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(states.at(-1)).toMatchObject({ total: 6, found: 0, secondsLeft: 0, loss: expect.any(Number) });
  expect(states.at(1)?.last).toBe('sync, 3 simulated, batch size 9, learning rate 0.1, seed 0');
  const [header, ...rows] = (await readFile(summary.csv, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  expect(rows).toHaveLength(6);
  const updates = rows.map((row) => Number(row[header?.indexOf('updates') as number]));
  // 54 rows in 6 or 2 batches, 2 epochs: one update each; one for each of 3 shards; one average at each epoch's end.
  expect(updates).toEqual([12, 36, 2, 4, 12, 2]);
});

test('one worker is trained by one rule only', async () => {
  const { summary } = await run({ folder: newFolder(), workers: [1, 2], virtualWorkers: [1], batchSizes: [27] });
  expect(summary.total).toBe(5);
});

describe('a study that was stopped', () => {
  test('goes on where it was, to the same end', async () => {
    const [whole, parted] = [newFolder(), newFolder()];
    await run({ folder: whole });
    await stopped(parted, 2);
    expect(await journalOf(parted)).toHaveLength(2);
    expect(await readFile(join(parted, 'report.html'), 'utf8')).toContain('it shows 2 of 6 trainings');
    await stopped(parted, 5);
    const { states } = await run({ folder: parted });
    expect(states[0]).toEqual({ done: 5, total: 6, found: 5 });
    expect(await outcomes(parted)).toEqual(await outcomes(whole));
    expect(await readFile(join(parted, 'report.html'), 'utf8')).not.toContain('was stopped');
  });

  test('goes on behind half a line, which a killed study leaves', async () => {
    const [whole, torn] = [newFolder(), newFolder()];
    await run({ folder: whole });
    await stopped(torn, 3);
    await appendFile(join(torn, 'journal.jsonl'), '{"point":{"rule":"per-sh');
    await run({ folder: torn });
    expect(await outcomes(torn)).toEqual(await outcomes(whole));
  });

  test('trains nothing again when it is done', async () => {
    const folder = newFolder();
    await run({ folder });
    const { states } = await run({ folder });
    expect(states).toEqual([{ done: 6, total: 6, found: 6 }]);
  });

  test.each([
    [{ learningRates: [0.2] }, 'there learningRates is [0.1], here [0.2]'],
    [{ epochs: 3 }, 'there epochs is 2, here 3'],
    [{ momentum: 0.5 }, 'there momentum is 0, here 0.5'],
    [{ maxStaleness: 1 }, 'there maxStaleness is not given, here 1'],
  ] as [Partial<StudyOptions>, string][])('does not go on as another one: %j', async (other, message) => {
    const folder = newFolder();
    await stopped(folder, 1);
    await expect(run({ folder, ...other })).rejects.toThrow(message);
    expect(await journalOf(folder)).toHaveLength(1);
  });

  test('does not go on with other rows', async () => {
    const folder = newFolder();
    await stopped(folder, 1);
    const task = { ...tinyTask(), x: tf.zeros([60, 6]) };
    await expect(study(task, { ...TINY, folder })).rejects.toThrow(/belongs to another study: there rows is/);
  });

  test('does not go on from a file that is no journal', async () => {
    const folder = newFolder();
    await mkdir(folder);
    await writeFile(join(folder, 'journal.jsonl'), 'dear diary\n');
    await expect(run({ folder })).rejects.toThrow('line 1 is not JSON; move the file away to begin anew');
  });
});

describe('options that cannot be studied are refused before a folder is made', () => {
  test.each([
    [{ rules: [] }, RangeError, 'rules must hold at least one value'],
    [{ batchSizes: [8, 8] }, RangeError, 'batchSizes must hold each value once, got 8 twice'],
    [{ batchSizes: [0] }, RangeError, 'batchSize must be a whole number'],
    [{ rules: ['asynchronous'] as never }, TypeError, 'update must be'],
    [{ workers: [], virtualWorkers: [] }, RangeError, 'workers or virtualWorkers must hold at least one value'],
    [{ rules: ['sync'], syncEvery: 2 }, TypeError, "syncEvery belongs to update: 'local'"],
    [{ workers: [2], virtualWorkers: [], straggler: 2 }, TypeError, 'straggler slows a simulated worker down'],
  ] as [Partial<StudyOptions>, typeof Error, string][])('%j', async (options, type, message) => {
    const folder = newFolder();
    const refused = run({ folder, ...options });
    await expect(refused).rejects.toThrow(type);
    await expect(refused).rejects.toThrow(message);
    await expect(readFile(join(folder, 'journal.jsonl'))).rejects.toThrow('ENOENT');
  });
});

test('of what it compares, only losses that are finite, and times of threads that all came to the target, are told', async () => {
  const threads = { rules: ['sync' as const], batchSizes: [27], workers: [1], virtualWorkers: [] };
  const lost = await run({ ...threads, folder: newFolder(), learningRates: [3e38], epochs: 9 });
  expect(lost.summary.comparisons).toMatchObject([{ loss: null, seconds: expect.any(Number), secondsToTarget: null }]);
  const { summary } = await run({ ...threads, folder: newFolder(), targetLoss: 100 });
  expect(summary.comparisons).toMatchObject([{ name: 'sync, 1 thread', secondsToTarget: expect.any(Number) }]);
});
