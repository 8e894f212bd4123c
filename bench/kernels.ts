/** `npm run bench:kernels`: what a step takes beside its program, on one thread: the update, rows gathered, random numbers, copies, calls of the runtime. */

import { Tensor } from 'onnxruntime-node';
import { binding, initOrt } from 'onnxruntime-node/dist/binding.js';
import { Bench } from 'tinybench';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import { copyValues } from '#shardfit/common/copy.js';
import type { DType } from '#shardfit/common/program.js';
import { Graph } from '#shardfit/compiler/graph/value.js';
import { encodeModel, type NamedValue } from '#shardfit/compiler/onnx/encode.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import { Call, Session, type Tensors, tensorOver } from '#shardfit/onnx-runtime/session.js';
import { Gatherer } from '#shardfit/worker/gather.js';
import { SlotTable } from '#shardfit/worker/slot-table.js';

/** Something to time, and the bytes that it reads and writes, where they are what takes the time. */
interface Timed {
  name: string;
  bytes?: number;
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
    ['table', 'int32', 2],
  );
  const kernels = loadKernels(arena.memory);
  const at = (name: string): number => arena.segment(name).offset;
  for (const name of ['weights', 'velocity', 'gradients']) arena.floats(name).fill(1e-3);
  kernels.setPass(1, Number.POSITIVE_INFINITY, 1);
  const size = parameters * 4;
  const table = new SlotTable(arena, 'table', [at('gradients'), at('gradients') + size]);
  return [1, 2].map((slots) => ({
    name: `update of ${parameters.toLocaleString('en')} parameters, gradients of ${slots === 1 ? 'one shard' : 'two shards'}`,
    bytes: size * (4 + slots),
    run: () =>
      kernels.reduceSgdMomentum(
        at('weights'),
        at('weights'),
        at('velocity'),
        size,
        table.from(0),
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

/** The numbers of a dropout over `rows` rows. */
function drawing(rows: number, perRow: number): Timed {
  const arena = openArena(['random0', 'float32', rows * perRow]);
  const kernels = loadKernels(arena.memory);
  const { offset } = arena.segment('random0');
  let step = 0;
  return {
    name: `${(rows * perRow).toLocaleString('en')} random numbers drawn`,
    run: () => kernels.fillUniform(offset, 0, rows, perRow, step++, 0, 1, 2),
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

/** A program of 8 chains of `length` products of four numbers, run by the C API and by onnxruntime-node's own binding. */
function calls(length: number): Timed[] {
  const graph = new Graph();
  const type = { shape: [4], dtype: 'float32' } as const;
  const [inputs, outputs]: [NamedValue[], NamedValue[]] = [[], []];
  for (let chain = 0; chain < 8; chain++) {
    const x = graph.input(`x${chain}`, type);
    inputs.push({ name: `x${chain}`, value: x });
    let y = x;
    for (let i = 0; i < length; i++) y = graph.node('Mul', [y, x], {}, type);
    outputs.push({ name: `y${chain}`, value: y });
  }
  const onnx = encodeModel(inputs, outputs);
  const [read, written]: [Tensors, Tensors] = [{}, {}];
  for (const { name } of inputs) read[name] = tensorOver(new Float32Array(4), [4]);
  for (const { name } of outputs) written[name] = tensorOver(new Float32Array(4), [4]);
  const session = new Session(onnx);
  const call = new Call(read, written);

  initOrt();
  const native = new binding.InferenceSession();
  const bytes = Uint8Array.from(onnx);
  native.loadModel(bytes.buffer, 0, bytes.byteLength, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const tensors = (names: NamedValue[]) =>
    Object.fromEntries(names.map(({ name }) => [name, new Tensor('float32', new Float32Array(4), [4])]));
  const [feeds, fetches] = [tensors(inputs), tensors(outputs)];
  const what = `a run of ${8 * length} small operators`;
  return [
    { name: `${what}, C API`, run: () => session.run(call) },
    { name: `${what}, onnxruntime-node`, run: () => native.run(feeds, fetches, {}) },
  ];
}

const list = [50_000, 10_000_000].flatMap(updates);
list.push(gathering(128, 784), drawing(128, 512), ...[100_000, 10_000_000].flatMap(copies), ...[1, 5].flatMap(calls));
const bench = new Bench({ time: 500 });
for (const { name, run } of list) bench.add(name, run);
await bench.run();
for (const [i, { name, bytes }] of list.entries()) {
  const result = bench.tasks[i]?.result;
  if (result?.state !== 'completed') throw new Error(`${name} could not be timed`);
  const milliseconds = result.latency.p50;
  const rate = bytes === undefined ? '' : `${(bytes / milliseconds / 1e6).toFixed(1).padStart(7)} GB/s`;
  console.log(`${name.padEnd(60)} ${(milliseconds * 1000).toFixed(1).padStart(9)} us ${rate}`);
}
