/** `npm run bench:check -- OLD.json NEW.json`: what `shardfit bench --json` or `bench:peers --json` wrote, before and after a change. */
import { readFileSync } from 'node:fs';
import { type Change, compareMeasurements, type Measurement } from '../src/bench/check.js';
import { textTable } from '../src/cli/report/text-table.js';

/** Exit code where nothing could be compared; 1 says that something has become slower. */
const NOT_COMPARED = 2;

const [before = '', after = '', ...rest] = process.argv.slice(2);
if (after === '' || rest.length > 0 || before.startsWith('-')) {
  fail('usage: npm run bench:check -- OLD.json NEW.json, two files of `shardfit bench --json` or `bench:peers --json`');
}
const { changes, onlyBefore, onlyAfter } = compareMeasurements(read(before), read(after));

function fail(message: string): never {
  console.error(message);
  process.exit(NOT_COMPARED);
}

function read(file: string): Measurement[] {
  try {
    const { measurements } = JSON.parse(readFileSync(file, 'utf8')) as { measurements?: Measurement[] };
    if (Array.isArray(measurements)) return measurements;
  } catch (error) {
    fail(`${file} cannot be read: ${(error as Error).message}`);
  }
  fail(`${file} holds no measurements: it must be what \`shardfit bench --json\` or \`bench:peers --json\` wrote`);
}

function wordFor({ before: { samples }, after, verdict }: Change): string {
  if (Math.min(samples, after.samples) < 2) return 'one sample proves nothing';
  return verdict === 'same' ? 'noise' : verdict;
}

const rows = changes.map((change) => [
  change.name,
  change.before.median.toFixed(3),
  change.after.median.toFixed(3),
  change.unit,
  `${change.ratio > 1 ? '+' : ''}${(100 * (change.ratio - 1)).toFixed(1)} %`,
  wordFor(change),
]);
for (const line of textTable(['', 'old', 'new', 'unit', 'change', ''], rows)) console.log(line);
for (const name of onlyBefore) console.log(`  only in ${before}: ${name}`);
for (const name of onlyAfter) console.log(`  only in ${after}: ${name}`);
const slower = changes.filter(({ verdict }) => verdict === 'slower').length;
const faster = changes.filter(({ verdict }) => verdict === 'faster').length;
console.log(`${slower} slower, ${faster} faster, ${changes.length - slower - faster} as before`);
if (slower > 0) process.exitCode = 1;
