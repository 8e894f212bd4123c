/**
 * Gradients and weights that workers pull from where they were written, beside those that they push (see docs/architecture.md, "From core to
 * core"), in rounds that alternate, with the time that a cache line takes from one core to another and back: before and after a round.
 * Run: npm run bench:transport
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Trainer } from 'shardfit';
import { median } from '../src/bench/statistics.js';
import { FACTORIES } from '../src/bench/workloads/index.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '30' }, seconds: { type: 'string', default: '0.5' } },
});
const [ROUNDS, SECONDS] = [Number(values.rounds), Number(values.seconds)];
const WORKLOADS = [
  ['784-128-10', 128],
  ['784-512-512-10', 128],
  ['784-512-512-10', 512],
] as const;
const TRIPS = 100_000;
/** Nanoseconds there and back that cores of one group, which share a cache, stay below. */
const NEAR = 200;

// Places of `other-thread`.
const [BALL, BEGUN] = [0, 1];
const words = new Int32Array(new SharedArrayBuffer(128));
const other = new Worker(new URL('./other-thread.mjs', import.meta.url), { workerData: words });

/** Nanoseconds that a word takes to another thread and back. */
function roundTrip(): number {
  words.fill(0);
  other.postMessage(TRIPS);
  while (Atomics.load(words, BEGUN) === 0);
  const start = performance.now();
  for (let i = 0; i < TRIPS; i++) {
    Atomics.store(words, BALL, 2 * i + 1);
    while (Atomics.load(words, BALL) !== 2 * i + 2);
  }
  return ((performance.now() - start) / TRIPS) * 1e6;
}

interface Round {
  pull: number;
  push: number;
  /** Nanoseconds before and after it. */
  trips: [number, number];
}

async function measure(name: (typeof WORKLOADS)[number][0], batch: number): Promise<Round[]> {
  const steps = 40;
  const workload = FACTORIES[name](batch, steps * batch);
  const { x, y } = workload.data();
  const trainerOf = (transport: 'pull' | 'push') =>
    new Trainer(workload.build(), { workers: 2, split: 'rows', transport });
  await using pulling = trainerOf('pull');
  await using pushing = trainerOf('push');
  const milliseconds = async (trainer: Trainer, epochs: number) => {
    const { run } = await trainer.fit(x, y, { batchSize: batch, epochs });
    return (1000 * run.seconds) / run.updates;
  };
  for (const trainer of [pulling, pushing]) await milliseconds(trainer, 10);
  const epochs = Math.max(1, Math.round((1000 * SECONDS) / (steps * (await milliseconds(pulling, 5)))));
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = roundTrip();
    const took = { pull: 0, push: 0 };
    const order = [['pull', pulling] as const, ['push', pushing] as const];
    for (const [way, trainer] of round % 2 ? order.reverse() : order) took[way] = await milliseconds(trainer, epochs);
    rounds.push({ ...took, trips: [before, roundTrip()] });
  }
  return rounds;
}

try {
  await once(other, 'online');
  roundTrip();
  console.log(
    `two workers, shares of rows, ${ROUNDS} alternating rounds of ${SECONDS} s each (Node ${process.version}); medians`,
  );
  console.log('ms/update                rounds      pull      push     times    a cache line there and back');
  for (const [name, batch] of WORKLOADS) {
    const rounds = await measure(name, batch);
    const groups: [string, (round: Round) => boolean][] = [
      [`below ${NEAR} ns`, ({ trips }) => Math.max(...trips) < NEAR],
      ['some of the time', ({ trips }) => Math.max(...trips) >= NEAR && Math.min(...trips) < NEAR],
      [`from ${NEAR} ns on`, ({ trips }) => Math.min(...trips) >= NEAR],
    ];
    for (const [title, isIn] of groups) {
      const list = rounds.filter(isIn);
      if (list.length === 0) continue;
      const of = (f: (round: Round) => number) => median(list.map(f)).toFixed(3).padStart(9);
      const times = median(list.map(({ pull, push }) => pull / push))
        .toFixed(2)
        .padStart(9);
      const trip = median(list.map(({ trips: [a, b] }) => (a + b) / 2)).toFixed(0);
      const start = `${`${name} (${batch})`.padEnd(24)} ${String(list.length).padStart(6)}`;
      console.log(`${start} ${of(({ pull }) => pull)} ${of(({ push }) => push)} ${times}    ${title} (${trip} ns)`);
    }
  }
} finally {
  await other.terminate();
}
