/** `npm run bench:check -- OLD.json NEW.json`: what `shardfit bench --json` or `bench:peers --json` wrote, before and after a change. */
import { readFileSync } from 'node:fs';
import { type Change, compareMeasurements, type Measurement } from '../src/bench/check.js';
import { textTable } from '../src/cli/report/text-table.js';

const [before, after] = process.argv.slice(2);
if (before === undefined || after === undefined) throw new TypeError('usage: bench:check OLD.json NEW.json');
const read = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { measurements: Measurement[] }).measurements;
const { changes, onlyBefore, onlyAfter } = compareMeasurements(read(before), read(after));

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
