import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const { bin, files, scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

test('the build leaves a command that can be run, as npm links it', () => {
  accessSync(bin.shardfit, constants.X_OK);
  expect(readFileSync(bin.shardfit, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test('a package is built before it is packed, and holds what the README names', () => {
  expect(scripts.prepack).toBe('npm run build');
  expect(files).toEqual(['dist', 'data', 'docs', 'examples']);
  expect(files.every((name: string) => existsSync(name))).toBe(true);
});
