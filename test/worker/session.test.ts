/** A program in ONNX Runtime, as workers run it. */
import { expect, it } from 'vitest';
import { CONTROL_WORDS, Control } from '#shardfit/common/control.js';
import { Graph } from '#shardfit/compiler/graph/value.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';
import { callOf, type NativeTensor, tensorOver } from '#shardfit/worker/ort-binding.js';
import { Session } from '#shardfit/worker/session.js';

/** x + 1 and x + 2 of `size` numbers, behind the first number alone. */
function sums(size: number): Uint8Array {
  const graph = new Graph();
  const type = { shape: [size], dtype: 'float32' } as const;
  const x = graph.input('x', type);
  const plus = (n: number) => graph.node('Add', [x, graph.constant(Float32Array.of(n), [], 'float32')], {}, type);
  const first = graph.node(
    'Slice',
    [x],
    { starts: [0], ends: [1], axes: [0], steps: [1] },
    { shape: [1], dtype: 'float32' },
  );
  const outputs = [first, plus(1), plus(2)].map((value, i) => ({ name: `y${i}`, value }));
  return encodeModel([{ name: 'x', value: x }], outputs);
}

function tensor(size: number, value = 0): NativeTensor {
  return tensorOver(new Float32Array(size).fill(value), [size], 'float32');
}

it.each([4, 2 ** 20])('leaves %i numbers an output where they are asked for', (size) => {
  const control = new Control(new Int32Array(CONTROL_WORDS));
  const session = new Session(sums(size), control);
  try {
    const outputs = { y0: tensor(1), y1: tensor(size), y2: tensor(size) };
    const inputs = { x: tensor(size, 5) };
    session.run(callOf(inputs, outputs));
    expect(outputs.y0.data).toEqual(Float32Array.of(5));
    expect((outputs.y1.data as Float32Array).every((value) => value === 6)).toBe(true);
    expect((outputs.y2.data as Float32Array).every((value) => value === 7)).toBe(true);
  } finally {
    session.dispose();
  }
});

it('makes no other arrays for outputs that are large', () => {
  const size = 2 ** 20;
  const session = new Session(sums(size), new Control(new Int32Array(CONTROL_WORDS)));
  try {
    const outputs = { y0: tensor(1), y1: tensor(size), y2: tensor(size) };
    const inputs = { x: tensor(size) };
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    // More often than the garbage collector could come.
    for (let i = 0; i < 10; i++) {
      session.run(callOf(inputs, outputs));
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most).toBeLessThan(4 * size);
  } finally {
    session.dispose();
  }
});

it('still says what was wrong', () => {
  const session = new Session(sums(2 ** 20), new Control(new Int32Array(CONTROL_WORDS)));
  try {
    const outputs = { y0: tensor(1), y1: tensor(2 ** 20), y2: tensor(2 ** 20) };
    expect(() => session.run(callOf({ x: tensor(7) }, outputs))).toThrow('Got invalid dimensions for input: x');
  } finally {
    session.dispose();
  }
});
