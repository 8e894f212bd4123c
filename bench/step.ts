/** `npm run bench:step`: whole calls of fit side by side, in alternation; prints medians and ratios. */
import * as tf from '@tensorflow/tfjs';
import { median } from '../src/bench/statistics.js';
import { FACTORIES, type Workload } from '../src/bench/workloads/index.js';
import { type Contender, type Measured, shardfit, tfjs } from './contenders.js';

interface Plan {
  workload: Workload;
  /** Epochs of a shardfit call: enough that a call takes about two seconds. */
  epochs: number;
  /** Updates of a tfjs call, for each of its backends that can train the workload; 0: it cannot. */
  tfjsUpdates: { cpu: number; wasm: number };
}

const ROUNDS = Number(process.env.ROUNDS ?? 5);

const PLANS: Plan[] = [
  { workload: FACTORIES['784-128-10'](128, 9984), epochs: 30, tfjsUpdates: { cpu: 2, wasm: 40 } },
  { workload: FACTORIES['784-512-512-10'](128, 9984), epochs: 6, tfjsUpdates: { cpu: 1, wasm: 5 } },
  { workload: FACTORIES['784-512-512-10'](512, 9728), epochs: 6, tfjsUpdates: { cpu: 1, wasm: 2 } },
  // Convolutions have no gradients on tfjs' wasm backend.
  { workload: FACTORIES.cnn(32, 1920), epochs: 3, tfjsUpdates: { cpu: 1, wasm: 0 } },
];

async function measure({ workload, epochs, tfjsUpdates }: Plan): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>();
  const record = async (contender: Contender, epochsOfCall: number, rows: number) => {
    const measured = await contender.run(workload, epochsOfCall, rows);
    results.set(contender.name, [...(results.get(contender.name) ?? []), measured]);
  };
  for (let round = 0; round < ROUNDS; round++) {
    // The slow ones once: their figures are hundreds of times the noise.
    if (round === 0) await record(tfjs('cpu'), 1, tfjsUpdates.cpu * workload.batchSize);
    if (tfjsUpdates.wasm > 0) await record(tfjs('wasm'), 1, tfjsUpdates.wasm * workload.batchSize);
    await record(shardfit(1), epochs, workload.rows);
    await record(shardfit(2), epochs, workload.rows);
  }
  return results;
}

function print({ workload }: Plan, results: Map<string, Measured[]>): void {
  console.log(`\n${workload.name}`);
  const medians = new Map([...results].map(([name, list]) => [name, median(list.map(({ step }) => step))]));
  const fastest = Math.min(...medians.values());
  for (const [name, list] of results) {
    const step = medians.get(name) as number;
    const training =
      list[0]?.trainingStep === undefined ? '' : median(list.map((m) => m.trainingStep as number)).toFixed(3);
    const cells = [
      name.padEnd(24),
      step.toFixed(3).padStart(10),
      training.padStart(10),
      (step / fastest).toFixed(2).padStart(9),
    ];
    console.log(cells.join(' '));
  }
}

tf.enableProdMode();
console.log(
  `whole fit calls, milliseconds per update, medians of ${ROUNDS} alternating rounds (Node ${process.version})`,
);
console.log(`${' '.repeat(24)} whole call   training  x fastest`);
for (const plan of PLANS) print(plan, await measure(plan));
