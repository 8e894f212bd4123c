import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFile, temporaryFolder } from '../data/temporary-folder.js';
import { startCli, train } from './run-cli.js';

const folder = await temporaryFolder();
const good = await newFile(folder, 'age,size,price\n1,2,3.5\n2,3,4.5\n3,4,5.5\n4,5,6.5\n');
const ragged = await newFile(folder, 'age,price\n1,2\n3\n');
const wordy = await newFile(folder, 'age,price\n1,2\nold,3\n');
const holes = await newFile(folder, 'age,price\nNaN,2\n1,3\n');
const lost = await newFile(folder, 'age,price\n1,NaN\n2,3\n');
const DIGITS = ['--data', 'digits'];

describe('a wrong command line ends with code 2 and one message', () => {
  test.each<[string, string[], RegExp]>([
    [
      'batch size 0',
      [...DIGITS, '--batch-size', '0'],
      /'--batch-size <n>' argument '0' is invalid. It must be a whole number of at least 1, or 'full'/,
    ],
    ['batch size -1', [...DIGITS, '--batch-size', '-1'], /'--batch-size <n>' argument '-1' is invalid/],
    ['batch size 1.5', [...DIGITS, '--batch-size', '1.5'], /'--batch-size <n>' argument '1.5' is invalid/],
    [
      'validation split 1.2',
      [...DIGITS, '--validation-split', '1.2'],
      /argument '1.2' is invalid. It must be a number in \[0, 1\)/,
    ],
    ['workers 0', [...DIGITS, '--workers', '0'], /'--workers <n>' argument '0' is invalid/],
    ['shards x', [...DIGITS, '--shards', 'x'], /'--shards <n>' argument 'x' is invalid/],
    ['learning rate 0', [...DIGITS, '--lr', '0'], /'--lr <rate>' argument '0' is invalid. It must be a number above 0/],
    ['momentum 1', [...DIGITS, '--momentum', '1'], /It must be a number in \[0, 1\)/],
    ['hidden 64,', [...DIGITS, '--hidden', '64,'], /such as 128,64/],
    ['an unknown option', [...DIGITS, '--epoch', '3'], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    ['an unknown loss', [...DIGITS, '--loss', 'meanSquareError'], /did you mean 'meanSquaredError'\?/],
    ['an unknown activation', [...DIGITS, '--activation', 'rely'], /did you mean 'relu'\?/],
    ['no data', [], /required option '--data <name or file>' not specified/],
    [
      'a loss for classes on a number',
      ['--data', 'diabetes', '--loss', 'categoricalCrossentropy'],
      /needs classes, but 'progression' holds numbers/,
    ],
    ['model and hidden', [...DIGITS, '--model', 'm.json', '--hidden', '3'], /cannot be used with/],
    ['a missing model', [...DIGITS, '--model', 'no.json'], /--model no.json does not exist/],
    ['a file that is no model', [...DIGITS, '--model', good], /--model .*\.csv is not a topology .{0,200}\n$/],
    ['5000 workers', [...DIGITS, '--workers', '5000'], /--workers must be 'auto' or a whole number from 1 to 1024/],
    ['5000 simulated workers', [...DIGITS, '--virtual-workers', '5000'], /--virtual-workers must be .* 1 to 1024/],
    [
      'a bound without its rule',
      [...DIGITS, '--max-staleness', '1'],
      /^shardfit: --max-staleness belongs to --update per-shard, got --update sync$/m,
    ],
    [
      'a straggler among threads',
      [...DIGITS, '--straggler', '2'],
      /^shardfit: --straggler .* it needs --virtual-workers$/m,
    ],
    [
      'more shards than simulated workers',
      [...DIGITS, '--virtual-workers', '2', '--shards', '3'],
      /^shardfit: --virtual-workers means one shard each: --shards must be 2 or left out, got 3$/m,
    ],
    ['nesterov alone', [...DIGITS, '--nesterov'], /--nesterov is a form of the momentum, .* give --momentum too/],
    [
      'a network without end',
      [...DIGITS, '--hidden', '1000000000'],
      /--hidden 1000000000 makes 75,000,000,074 weights/,
    ],
    ['numbers as classes', ['--data', 'diabetes', '--task', 'class'], /holds 214 different numbers on 442 rows/],
    ['no target', ['--data', good], /name the column to predict with --target; it has: age, size, price/],
    ['an unknown column', ['--data', good, '--target', 'prize'], /has no column 'prize'; did you mean 'price'\?/],
    ['an unknown data set', ['--data', 'digit'], /no data set is named 'digit'; did you mean 'digits'\?/],
    ['a missing file', ['--data', join(folder, 'no.csv'), '--target', 'price'], /no\.csv does not exist/],
    [
      'no row left for training',
      ['--data', good, '--target', 'price', '--validation-split', '0.9'],
      /--validation-split 0\.9 leaves no row of 4 to train on; use more rows or a smaller fraction/,
    ],
    ['a folder of others to save to', [...DIGITS, '--save', folder], /--save: cannot save to .* it holds other files/],
    ['a file to save to', [...DIGITS, '--save', good], /--save: cannot save to .* it is a file/],
    ['a folder below a file', [...DIGITS, '--save', join(good, 'model')], /--save: cannot save to .* it is a file/],
    ['a folder without a name', [...DIGITS, '--save', ''], /--save: cannot save to a folder without a name/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await train(...args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^shardfit: [^\n]*(\n\(Did you mean [^\n]*)?\n$/);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('an unknown command', async () => {
    const { code, stderr } = await startCli('trian').ended;
    expect([code, stderr]).toEqual([2, "shardfit: unknown command 'trian'\n(Did you mean train?)\n"]);
  });
});

describe('bad data ends with code 1 and one message', () => {
  test.each<[string, string[], RegExp]>([
    ['a ragged row', ['--data', ragged, '--target', 'price'], /line 3: expected 2 cells as in the first line, got 1/],
    ['text among numbers', ['--data', wordy, '--target', 'price'], /line 3, column 'age': is 'old', not a number/],
    ['NaN', ['--data', holes, '--target', 'price'], /line 2, column 'age': is 'NaN', not a finite number/],
    [
      'NaN as the target',
      ['--data', lost, '--target', 'price'],
      /line 2, column 'price' .*: is 'NaN', not a finite number/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await train(...args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^shardfit: [^\n]*\n$/);
    expect([code, stdout]).toEqual([1, '']);
  });
});

// A system that lets root write anywhere, and has no place for a folder all the same.
test.runIf(existsSync('/proc/self'))('a folder to save to that can never be made is told at once', async () => {
  const { code, stderr } = await train(...DIGITS, '--save', '/proc/model');
  expect(stderr).toMatch(/^shardfit: --save: cannot make the folder \/proc\/model: [^\n]*\n$/);
  expect(code).toBe(2);
});

test('study refuses the same before it loads anything', async () => {
  const { code, stderr } = await startCli('study', ...DIGITS, '--workers', '5000').ended;
  expect([code, stderr]).toEqual([
    2,
    "shardfit: --workers must be 'auto' or a whole number from 1 to 1024, got 5000\n",
  ]);
  expect((await startCli('study', ...DIGITS, '--nesterov').ended).stderr).toMatch(/give --momentum too/);
});

test('a batch larger than the data is one batch', async () => {
  const args = ['--data', good, '--target', 'price', '--batch-size', '1000', '--epochs', '1', '--json'];
  const { code, stdout } = await train(...args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/"updates":1,.*"batchSize":1000,/);
});

test('--help has examples, --version the version', async () => {
  const help = await startCli('train', '--help').ended;
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toMatch(/Examples:\n {2}shardfit train --data mnist/);
  const version = await startCli('--version').ended;
  expect(version).toMatchObject({ code: 0, stdout: '0.1.0\n' });
});
