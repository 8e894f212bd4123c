/**
 * `npm run bench:peers`: shardfit beside PyTorch's four ways of using the cores of a machine, in one run and in alternation.
 *
 * PyTorch is used if a python3 with torch is found (PYTHON names another), and skipped with a note if not. Every way is a
 * process of its own with its threads set before it starts. What it takes to start is left out on both sides; what fit does
 * before its first update is in the last column.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { type Measured, shardfit } from './contenders.js';
import { median } from './statistics.js';
import { cnn, mlp, question, type Workload } from './workloads.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
const CORES = availableParallelism();
const SCRIPT = fileURLToPath(new URL('peers/pytorch.py', import.meta.url));

interface Plan {
  workload: Workload;
  /** What the script calls it. */
  name: string;
  /** Epochs of one call: about two seconds of training. */
  epochs: number;
}

const PLANS: Plan[] = [
  { workload: question(20, 400), name: '10-20-1', epochs: 300 },
  { workload: mlp([784, 128, 10], 128, 9984), name: '784-128-10', epochs: 25 },
  { workload: mlp([784, 512, 512, 10], 128, 9984), name: '784-512-512-10', epochs: 5 },
  { workload: mlp([784, 512, 512, 10], 512, 9728), name: '784-512-512-10', epochs: 6 },
  { workload: cnn(32, 1920), name: 'cnn', epochs: 3 },
  { workload: cnn(128, 2560), name: 'cnn', epochs: 3 },
];

const WAYS: Record<string, { env: Record<string, string>; args?: string[] }> = {
  'PyTorch, 1 thread': { env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' } },
  'PyTorch, BLAS threads': { env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: `${CORES}` } },
  'PyTorch, OpenMP threads': { env: { OMP_NUM_THREADS: `${CORES}`, OPENBLAS_NUM_THREADS: '1' } },
  'PyTorch, DDP': { env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }, args: ['--ddp', `${CORES}`] },
};

function pytorch({ workload, name, epochs }: Plan, way: string): Measured | undefined {
  const { env, args = [] } = WAYS[way] as (typeof WAYS)[string];
  const counts = [workload.batchSize, workload.rows, epochs].map(String);
  const options = { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 300_000 } as const;
  const { stdout, status } = spawnSync(PYTHON, [SCRIPT, name, ...counts, ...args], options);
  return status === 0 ? (JSON.parse(stdout) as Measured) : undefined;
}

async function measure(plan: Plan, ways: string[]): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>();
  const record = (name: string, measured: Measured | undefined) => {
    if (measured) results.set(name, [...(results.get(name) ?? []), measured]);
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const workers of new Set([1, CORES])) {
      const contender = shardfit(workers);
      record(contender.name, await contender.run(plan.workload, plan.epochs, plan.workload.rows));
    }
    for (const way of ways) record(way, pytorch(plan, way));
  }
  return results;
}

function print({ workload, epochs }: Plan, results: Map<string, Measured[]>): void {
  console.log(`\n${workload.name}`);
  const trained = ({ trainingStep, step }: Measured) => trainingStep ?? step;
  const steps = new Map([...results].map(([name, list]) => [name, median(list.map(trained))]));
  const best = Math.min(...[...steps].filter(([name]) => name.startsWith('PyTorch')).map(([, step]) => step));
  const updates = Math.ceil(workload.rows / workload.batchSize) * epochs;
  for (const [name, list] of results) {
    const step = steps.get(name) as number;
    const spread = `${Math.min(...list.map(trained)).toFixed(3)}-${Math.max(...list.map(trained)).toFixed(3)}`;
    const before = name.startsWith('PyTorch')
      ? ''
      : median(list.map((m) => (m.step - trained(m)) * updates)).toFixed(0);
    const cells = [
      name.padEnd(24),
      step.toFixed(3).padStart(9),
      spread.padStart(16),
      (best / step).toFixed(2).padStart(8),
    ];
    console.log(`${cells.join(' ')} ${before.padStart(8)}`);
  }
}

tf.enableProdMode();
const found = spawnSync(PYTHON, ['-c', 'import torch']).status === 0;
if (!found)
  console.log(`no torch in ${PYTHON}: PyTorch is skipped (Debian: apt-get install python3-torch libopenblas0-pthread)`);
console.log(
  `milliseconds per update, medians of ${ROUNDS} alternating rounds, ${CORES} cores (Node ${process.version})`,
);
console.log(`${' '.repeat(24)} ms/update          spread  PyTorch's best / it  start-up ms`);
const [part = ''] = process.argv.slice(2);
for (const plan of PLANS.filter(({ workload }) => workload.name.includes(part))) {
  print(plan, await measure(plan, found ? Object.keys(WAYS) : []));
}
