import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { events, train } from './run-cli.js';

test('what npm start trains recognizes at least 0.95 of the validation digits', async () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [, args] = scripts.start.split('main.js train ');
  const { code, stdout } = await train(...args.split(' '), '--json');
  expect(code).toBe(0);
  expect(events(stdout).at(-2)?.val_acc).toBeGreaterThanOrEqual(0.95);
});
