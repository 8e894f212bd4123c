/** `npm run bench:kernels`: what a step takes beside its program, on one thread: the update, rows gathered, copies. */

import { Bench } from 'tinybench';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import { copyValues } from '#shardfit/common/copy.js';
import type { DType } from '#shardfit/common/program.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import { Gatherer } from '#shardfit/worker/gather.js';

/** Something to time, and the bytes that it reads and writes. */
interface Timed {
  name: string;
  bytes: number;
  run: () => void;
}

function openArena(...segments: [name: string, dtype: DType, length: number][]): Arena {
  const layout = new LayoutBuilder(FIRST_FREE_BYTE);
  for (const segment of segments) layout.add(...segment);
  const built = layout.build();
  const initial = Math.ceil(built.bytes / 65_536);
  return new Arena(new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true }), built);
}

/** Reduce and momentum SGD in one pass, as two workers do it and as one alone does. */
function updates(parameters: number): Timed[] {
  const arena = openArena(
    ['weights', 'float32', parameters],
    ['velocity', 'float32', parameters],
    ['gradients', 'float32', 2 * parameters],
  );
  const kernels = loadKernels(arena.memory);
  const at = (name: string): number => arena.segment(name).offset;
  for (const name of ['weights', 'velocity', 'gradients']) arena.floats(name).fill(1e-3);
  kernels.setPass(1, Number.POSITIVE_INFINITY, 1);
  const size = parameters * 4;
  return [1, 2].map((slots) => ({
    name: `update of ${parameters.toLocaleString('en')} parameters, gradients of ${slots === 1 ? 'one shard' : 'two shards'}`,
    bytes: size * (4 + slots),
    run: () =>
      kernels.reduceSgdMomentum(
        at('weights'),
        at('velocity'),
        size,
        at('gradients'),
        size,
        slots,
        0,
        size,
        1,
        -0.01,
        0.9,
        false,
      ),
  }));
}

/** A mini-batch of shuffled rows, out of many more than a cache holds. */
function gathering(rows: number, rowSize: number): Timed {
  const all = 12_800;
  const arena = openArena(
    ['x', 'float32', all * rowSize],
    ['order', 'int32', all],
    ['rows0', 'bool', rows * rowSize * 4],
  );
  const order = arena.ints('order');
  // Every row once, far from the one before: 7919 is a prime.
  order.set(Array.from({ length: all }, (_, i) => (i * 7919) % all));
  const gatherer = new Gatherer(arena, loadKernels(arena.memory), 0);
  const target = new Float32Array(rows * rowSize);
  let start = 0;
  return {
    name: `${rows} shuffled rows of ${rowSize} gathered`,
    bytes: 2 * target.byteLength,
    run: () => {
      gatherer.gather({ values: arena.array('x'), rowSize }, target, { start, rows }, order);
      start = (start + rows) % (all - rows);
    },
  };
}

/** From shared memory to a thread's own, in both ways. */
function copies(length: number): Timed[] {
  const shared = openArena(['x', 'float32', length]).floats('x');
  const own = new Float32Array(length);
  const bytes = 2 * own.byteLength;
  const what = `${length.toLocaleString('en')} floats out of shared memory`;
  return [
    { name: `${what}, copyValues`, bytes, run: () => copyValues(shared, own) },
    { name: `${what}, set`, bytes, run: () => own.set(shared) },
  ];
}

const list = [50_000, 10_000_000].flatMap(updates);
list.push(gathering(128, 784), ...[100_000, 10_000_000].flatMap(copies));
const bench = new Bench({ time: 500 });
for (const { name, run } of list) bench.add(name, run);
await bench.run();
for (const [i, { name, bytes }] of list.entries()) {
  const result = bench.tasks[i]?.result;
  if (result?.state !== 'completed') throw new Error(`${name} could not be timed`);
  const milliseconds = result.latency.p50;
  const rate = bytes / milliseconds / 1e6;
  console.log(
    `${name.padEnd(60)} ${(milliseconds * 1000).toFixed(1).padStart(9)} us ${rate.toFixed(1).padStart(7)} GB/s`,
  );
}
