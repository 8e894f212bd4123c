/** A program in ONNX Runtime, as workers run it. */
import { expect, it } from 'vitest';
import { allocate } from '#shardfit/common/arena.js';
import type { DType } from '#shardfit/common/program.js';
import { Graph } from '#shardfit/compiler/graph/value.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';
import { Call, Session, type Tensor, tensorOver } from '#shardfit/onnx-runtime/session.js';

/** x + 1 and x + 2 of `size` numbers. */
function sums(size: number): Uint8Array {
  const graph = new Graph();
  const type = { shape: [size], dtype: 'float32' } as const;
  const x = graph.input('x', type);
  const plus = (n: number) => graph.node('Add', [x, graph.constant(Float32Array.of(n), [], 'float32')], {}, type);
  const outputs = [plus(1), plus(2)].map((value, i) => ({ name: `y${i}`, value }));
  return encodeModel([{ name: 'x', value: x }], outputs);
}

function tensor(size: number, value = 0): Tensor {
  return tensorOver(new Float32Array(size).fill(value), [size]);
}

/** In memory that threads share. */
function shared(size: number, value = 0): Tensor {
  return tensorOver(new Float32Array(new SharedArrayBuffer(4 * size)).fill(value), [size]);
}

it.each([
  [4, 'shared', shared],
  [2 ** 20, 'shared', shared],
  [1, "a thread's own", tensor],
  [2 ** 20, "a thread's own", tensor],
])('leaves %i numbers an output where they are asked for, in %s memory', (size, _, tensorOf) => {
  using session = new Session(sums(size));
  const outputs = { y1: tensorOf(size), y0: tensorOf(size) };
  const inputs = { x: tensorOf(size, 5) };
  using call = new Call(inputs, outputs);
  session.run(call);
  expect((outputs.y0.data as Float32Array).every((value) => value === 6)).toBe(true);
  expect((outputs.y1.data as Float32Array).every((value) => value === 7)).toBe(true);
  // The same memory again, with other numbers in it.
  inputs.x.data.fill(-1);
  session.run(call);
  expect((outputs.y1.data as Float32Array).every((value) => value === 1)).toBe(true);
});

it('reads small arrays where they are after garbage has been collected', () => {
  using session = new Session(sums(2));
  const calls = Array.from({ length: 1000 }, (_, i) => {
    const outputs = { y0: tensor(2) };
    return { outputs, i, call: new Call({ x: tensor(2, i) }, outputs) };
  });
  // More garbage than new objects have room for: those that live on are moved.
  for (let i = 0; i < 1000; i++) new Array(10_000).fill(i);
  for (const { call } of calls) session.run(call);
  for (const { outputs, i } of calls) expect(outputs.y0.data).toEqual(Float32Array.of(i + 1, i + 1));
  for (const { call } of calls) call[Symbol.dispose]();
});

/** y = x, of any type and shape. */
function identity(shape: number[], dtype: DType): Uint8Array {
  const graph = new Graph();
  const x = graph.input('x', { shape, dtype });
  const y = graph.node('Identity', [x], {}, { shape, dtype });
  return encodeModel([{ name: 'x', value: x }], [{ name: 'y', value: y }]);
}

it.each<[number[], DType]>([
  [[], 'float32'],
  [[3, 2], 'int32'],
  [[5], 'bool'],
  [[0, 4], 'float32'],
])('takes tensors of shape %j of %s', (shape, dtype) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const [x, y] = [allocate(dtype, size), allocate(dtype, size)];
  x.fill(1);
  using session = new Session(identity(shape, dtype));
  using call = new Call({ x: tensorOver(x, shape, dtype) }, { y: tensorOver(y, shape, dtype) });
  session.run(call);
  expect(y).toEqual(x);
});

it('says what was wrong with what a program is given', () => {
  using session = new Session(sums(8));
  using call = new Call({ x: tensor(7) }, { y0: tensor(8) });
  expect(() => session.run(call)).toThrow('Got invalid dimensions for input: x');
});

it('says what was wrong with a program', () => {
  expect(() => new Session(Uint8Array.of(1, 2, 3))).toThrow('protobuf parsing failed');
});

it('refuses a tensor whose shape asks for more than there is', () => {
  const tooLarge = tensorOver(new Float32Array(7), [8]);
  expect(() => new Call({ x: tensor(8) }, { y0: tooLarge })).toThrow('not enough');
});

it('refuses to run what has been disposed of, and to dispose of it twice is no error', () => {
  const session = new Session(sums(1));
  const call = new Call({ x: tensor(1) }, { y0: tensor(1) });
  call[Symbol.dispose]();
  call[Symbol.dispose]();
  expect(() => session.run(call)).toThrow('this call has been disposed of');
  session[Symbol.dispose]();
  session[Symbol.dispose]();
  using other = new Call({ x: tensor(1) }, { y0: tensor(1) });
  expect(() => session.run(other)).toThrow('this session has been disposed of');
});
