import { median, spreadOf } from '../../src/bench/statistics.js';
import { textTable } from '../../src/cli/report/text-table.js';
import type { Comparison, Result } from './compare.js';
import { TOLERANCE } from './loss-difference.js';

interface Setting {
  machine: string;
  rounds: number;
  seconds: number;
  notes: string[];
}

const EXPLANATION = `ms/update  median of the rounds, of training alone; behind it first and third quartile
best/it    the best peer's ms/update over this one's: above 1 is faster than any peer
first ms   from the call of fit to the end of the first update; in brackets, in a process that has trained nothing yet
peak MiB   most memory resident, of all processes together`;

export function printHeader({ machine, rounds, seconds, notes }: Setting): void {
  const rest = `${rounds} alternating rounds of ${seconds} s each`;
  console.log(`${machine}, Node ${process.version}; ${rest}\n${EXPLANATION}`);
  for (const note of notes) console.log(`note: ${note}`);
}

export function printComparison({ name, results, differences, notes }: Comparison): void {
  const best = Math.min(...results.filter(({ peer }) => peer).map(({ rounds }) => median(rounds)));
  console.log(`\n${name}`);
  const header = ['', 'ms/update', 'quartiles', 'rounds', 'best/it', 'first ms', '(new)', 'peak MiB'];
  for (const line of textTable(
    header,
    results.map((result) => cells(result, best)),
  )) {
    console.log(line);
  }
  const worst = differences.reduce((max, difference) => Math.max(max, difference.worst), 0);
  const updates = Math.max(0, ...differences.map((difference) => difference.updates));
  console.log(`  losses of the first ${updates} updates differ by ${worst.toExponential(1)} at most, relative`);
  for (const difference of differences.filter((candidate) => !(candidate.worst <= TOLERANCE))) {
    const { name: who, reference } = difference;
    console.log(`  ERROR: ${who} differs from ${reference} by ${difference.worst.toExponential(1)}`);
  }
  for (const note of notes) console.log(`  note: ${note}`);
}

function cells({ name, rounds, first, firstInProcess, peakMemory }: Result, best: number): string[] {
  const { median: middle, q1, q3, samples } = spreadOf(rounds);
  return [
    name,
    middle.toFixed(3),
    samples > 1 ? `${q1.toFixed(3)}-${q3.toFixed(3)}` : '',
    String(samples),
    Number.isFinite(best) ? (best / middle).toFixed(2) : '',
    first.length > 0 ? median(first).toFixed(0) : '',
    `(${firstInProcess.toFixed(0)})`,
    peakMemory === undefined ? '' : (peakMemory / 2 ** 20).toFixed(0),
  ];
}

/** In the form that `bench:check` compares: milliseconds per update. */
export function measurements(comparisons: Comparison[]): { name: string; unit: string; samples: number[] }[] {
  return comparisons.flatMap(({ name, results }) =>
    results.map((result) => ({ name: `${name}, ${result.name}`, unit: 'ms/update', samples: result.rounds })),
  );
}
