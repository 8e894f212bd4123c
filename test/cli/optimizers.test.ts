import { describe, expect, test } from 'vitest';
import { events, train } from './run-cli.js';

const SMALL = ['--data', 'digits', '--hidden', '16', '--epochs', '3', '--json'];

const losses = (stdout: string) =>
  events(stdout)
    .filter(({ event }) => event === 'epoch')
    .map(({ loss }) => loss as number);

describe('--optimizer', () => {
  test.each([
    ['sgd', '--lr', '0.05', '--momentum', '0.9', '--nesterov', '--decay', '0.001'],
    ['adam'],
    ['adamw', '--weight-decay', '0.01'],
    ['adagrad', '--lr', '0.05'],
    ['adadelta', '--lr', '1'],
    ['adamax', '--decay', '0.001'],
    ['rmsprop', '--momentum', '0.5'],
  ])('%s trains', async (...args) => {
    const { code, stdout, stderr } = await train(...SMALL, '--optimizer', ...args);
    expect([code, stderr]).toEqual([0, '']);
    const [first, second, third] = losses(stdout) as [number, number, number];
    expect(second).toBeLessThan(first);
    expect(third).toBeLessThan(second);
  });

  test('is sgd unless given, each has its own default rate, and the plan names both', async () => {
    const plan = async (...args: string[]) => {
      const { stdout } = await train('--data', 'digits', '--hidden', 'none', '--epochs', '1', ...args);
      return stdout.split('\n')[1];
    };
    const model = 'model  64-10, 650 weights; loss categoricalCrossentropy';
    expect(await plan()).toBe(`${model}; sgd, learning rate 0.01`);
    expect(await plan('--optimizer', 'adam')).toBe(`${model}; adam, learning rate 0.001`);
    expect(await plan('--optimizer', 'adam', '--lr', '0.01')).toBe(`${model}; adam, learning rate 0.01`);
  });

  test('clipping and weight decay reach the weights', async () => {
    const hash = async (...args: string[]) => events((await train(...SMALL, ...args)).stdout).at(-1)?.weightsSha256;
    const kinds = [
      [],
      ['--clip-norm', '0.1'],
      ['--global-clip-norm', '0.1'],
      ['--clip-value', '0.001'],
      ['--weight-decay', '0.1'],
    ];
    const hashes = [];
    for (const kind of kinds) hashes.push(await hash(...kind));
    expect(new Set(hashes).size).toBe(kinds.length);
  });

  test.each<[string[], RegExp]>([
    [['--optimizer', 'adam', '--momentum', '0.9'], /--momentum belongs to --optimizer sgd or rmsprop, got adam/],
    [['--optimizer', 'rmsprop', '--nesterov'], /--nesterov belongs to --optimizer sgd, got rmsprop/],
    [['--optimizer', 'adam', '--decay', '0'], /--decay belongs to --optimizer sgd or adamax, got adam/],
    [['--optimizer', 'adm'], /It must be one of .*; did you mean 'adam'\?/],
    [
      ['--clip-norm', '1', '--clip-value', '1'],
      /only one kind of clipping at a time, got --clip-value and --clip-norm/,
    ],
    [['--clip-norm', '0'], /It must be a number above 0/],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await train('--data', 'digits', ...args);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });
});
