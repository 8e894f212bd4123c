/**
 * `npm run bench:peers -- [parts of workloads' names] [--rounds N] [--seconds S] [--json FILE]`: shardfit beside PyTorch's ways
 * of using the cores of a machine, and beside tfjs, in one run and in alternation.
 *
 * All train the same model from the same weights on the same rows by the same optimizer, which is checked by their losses
 * before anything is timed. Each is in processes of its own, and used if it is installed (PYTHON names another python3).
 */
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { FACTORIES } from '../src/bench/workloads/index.js';
import { type Comparison, compare, type Plan } from './peers/compare.js';
import { findContenders } from './peers/contenders.js';
import { TOLERANCE } from './peers/loss-difference.js';
import { measurements, printComparison, printHeader } from './peers/print.js';

const PLANS: Plan[] = [
  { workload: '10-20-1', batchSize: 20, batches: 20 },
  { workload: '784-128-10', batchSize: 32, batches: 100 },
  { workload: '784-128-10', batchSize: 128, batches: 40 },
  { workload: '784-512-512-10', batchSize: 128, batches: 20 },
  { workload: '784-512-512-10', batchSize: 512, batches: 10 },
  { workload: 'cnn', batchSize: 32, batches: 20 },
  { workload: 'cnn', batchSize: 128, batches: 10 },
  { workload: 'vgg', batchSize: 64, batches: 5 },
  { workload: 'lstm', batchSize: 32, batches: 20 },
  { workload: 'residual-cnn', batchSize: 64, batches: 10 },
  { workload: 'mobilenet', batchSize: 64, batches: 10 },
  { workload: 'embedding', batchSize: 128, batches: 20 },
];

const nameOf = ({ workload, batchSize }: Plan) => FACTORIES[workload](batchSize, batchSize).name;

const USAGE = `usage: npm run bench:peers -- [parts of workloads' names] [--rounds N] [--seconds S] [--json FILE]
workloads: ${PLANS.map(nameOf).join(', ')}`;

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        ...{ rounds: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'string' } },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return { values, parts: positionals.length > 0 ? positionals : [''] };
  } catch (error) {
    fail(`${(error as Error).message}\n${USAGE}`);
  }
}

const { values, parts } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const rounds = Number(values.rounds ?? process.env.ROUNDS ?? 5);
const seconds = Number(values.seconds ?? 0.7);
if (!(rounds >= 1)) fail(`--rounds must be at least 1, got ${values.rounds ?? process.env.ROUNDS}`);
if (!(seconds > 0)) fail(`--seconds must be above 0, got ${values.seconds}`);
const { json } = values;
if (json !== undefined && !existsSync(dirname(json))) fail(`--json must be in a folder that exists, got ${json}`);
const plans = PLANS.filter((plan) => parts.some((part) => nameOf(plan).toLowerCase().includes(part.toLowerCase())));
if (plans.length === 0) fail(`no workload has '${parts.join("' or '")}' in its name\n${USAGE}`);

// An exit, not a death: what was written for the peers is removed then, and they end with their input.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
tf.enableProdMode();
const cores = availableParallelism();
const { contenders, notes } = findContenders(cores);
const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cores} cores`;
printHeader({ machine, rounds, seconds, notes });

const comparisons: Comparison[] = [];
for (const plan of plans) {
  const comparison = await compare(plan, contenders, rounds, seconds * 1000);
  printComparison(comparison);
  comparisons.push(comparison);
}
if (json !== undefined) {
  const report = { machine, node: process.version, date: new Date().toISOString(), rounds, seconds, notes };
  writeFileSync(
    json,
    `${JSON.stringify({ ...report, measurements: measurements(comparisons), workloads: comparisons }, null, 1)}\n`,
  );
}
const ours = contenders.filter(({ peer, statistics }) => !peer && statistics === 'batch');
if (comparisons.some(({ results }) => ours.some(({ name }) => !results.some((result) => result.name === name)))) {
  console.error('\nshardfit itself could not be measured: see the notes');
  process.exitCode = 1;
}
const wrong = comparisons.flatMap(({ differences }) => differences).filter(({ worst }) => !(worst <= TOLERANCE));
if (wrong.length > 0) {
  console.error(`\n${wrong.length} losses differ by more than ${TOLERANCE}: these contenders do not compute the same`);
  process.exitCode = 1;
}
