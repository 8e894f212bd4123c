import { describe, expect, it } from 'vitest';
import { type Loop, loopFunction } from '#shardfit/compiler/loops/loop-function.js';
import { encodeModule } from '#shardfit/compiler/loops/wasm-code.js';

/** Runs a loop on tensors that stand one behind the other, each with room around it; what is in them afterwards. */
function runLoop(loop: Loop, tensors: Float32Array[]): Float32Array[] {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 65_536, shared: true });
  const module = new WebAssembly.Module(encodeModule([loopFunction(loop)]) as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  let at = 64;
  const placed = tensors.map((values) => {
    const view = new Float32Array(memory.buffer, at, values.length);
    view.set(values);
    at += values.byteLength + 64;
    return view;
  });
  (exports['0'] as (...addresses: number[]) => void)(...placed.map(({ byteOffset }) => byteOffset));
  return placed.map((view) => view.slice());
}

/** `op` on the elements of up to three tensors, 8 at a time. */
function elementwise(op: string, inputs: number[][], alpha = 0, beta = 0): number[] {
  const strides = [8, 1];
  const loop: Loop = {
    extents: [1, 8],
    instructions: [
      ...inputs.map((_, parameter) => ({ kind: 'load' as const, tensor: { parameter, strides } })),
      { kind: 'compute', op, inputs: inputs.map((_, i) => i), alpha, beta },
    ],
    stores: [{ value: inputs.length, tensor: { parameter: inputs.length, strides } }],
    sums: [],
  };
  const tensors = [...inputs.map((values) => Float32Array.from(values)), new Float32Array(8)];
  return Array.from(runLoop(loop, tensors).at(-1) as Float32Array);
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const X = [1.5, -2.25, 0, -0, inf, -inf, nan, 3];
const Y = [-1, 2, 0, 1, 1, -inf, 1, nan];
const f = Math.fround;

describe('an operator', () => {
  const binary: [string, (x: number, y: number) => number][] = [
    ['Add', (x, y) => f(x + y)],
    ['Sub', (x, y) => f(x - y)],
    ['Mul', (x, y) => f(x * y)],
    ['Div', (x, y) => f(x / y)],
    ['Max', Math.max],
    ['Min', Math.min],
  ];
  it.each(binary)('%s is that of JavaScript, NaN and infinities too', (op, of) => {
    // Of 0 and -0 either may be the larger.
    const plain = (values: number[]) => values.map((x) => x + 0);
    expect(plain(elementwise(op, [X, Y]))).toEqual(plain(X.map((x, i) => of(x, Y[i] as number))));
  });

  const unary: [string, number, number, (x: number) => number][] = [
    ['Relu', 0, 0, (x) => (Number.isNaN(x) ? x : Math.max(x, 0))],
    ['LeakyRelu', 0.25, 0, (x) => (x < 0 ? x * 0.25 : x)],
    ['HardSigmoid', 0.25, 0.5, (x) => (Number.isNaN(x) ? x : Math.min(Math.max(0.25 * x + 0.5, 0), 1))],
    ['Clip', -2, 2, (x) => (Number.isNaN(x) ? x : Math.min(Math.max(x, -2), 2))],
    ['Neg', 0, 0, (x) => -x],
    ['Abs', 0, 0, Math.abs],
    ['Sqrt', 0, 0, (x) => f(Math.sqrt(x))],
    ['Reciprocal', 0, 0, (x) => f(1 / x)],
  ];
  it.each(unary)('%s is that of JavaScript, NaN and infinities too', (op, alpha, beta, of) => {
    expect(elementwise(op, [X], alpha, beta).map((x) => x + 0)).toEqual(X.map((x) => of(x) + 0));
  });

  it('Sum adds up any number of tensors in order', () => {
    expect(elementwise('Sum', [X, Y, Y])).toEqual(X.map((x, i) => f(f(x + (Y[i] as number)) + (Y[i] as number))));
  });

  it('that is unknown ends in an error', () => {
    expect(() => elementwise('Erf', [X])).toThrow('loops have no operator Erf');
  });
});

it('compares, and chooses by what it finds', () => {
  const strides = [8, 1];
  const load = (parameter: number) => ({ kind: 'load' as const, tensor: { parameter, strides } });
  const compute = (op: string, ...inputs: number[]) => ({ kind: 'compute' as const, op, inputs, alpha: 0, beta: 0 });
  const operators = ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'];
  const loop: Loop = {
    extents: [1, 8],
    instructions: [
      load(0),
      load(1),
      ...operators.flatMap((op, i) => [compute(op, 0, 1), compute('Cast', 2 + 2 * i)]),
      compute('And', 2, 4),
      compute('Or', 6, 10),
      compute('Not', 13),
      compute('Where', 14, 0, 1),
    ],
    stores: [...operators.map((_, i) => 3 + 2 * i), 15].map((value, i) => ({
      value,
      tensor: { parameter: 2 + i, strides },
    })),
    sums: [],
  };
  const outputs = Array.from({ length: 6 }, () => new Float32Array(8));
  const [, , ...found] = runLoop(loop, [Float32Array.from(X), Float32Array.from(Y), ...outputs]);
  const of = (test: (x: number, y: number) => boolean) => X.map((x, i) => Number(test(x, Y[i] as number)));
  expect(found.slice(0, 5).map((values) => Array.from(values))).toEqual([
    of((x, y) => x > y),
    of((x, y) => x >= y),
    of((x, y) => x < y),
    of((x, y) => x <= y),
    of((x, y) => x === y),
  ]);
  const chosen = X.map((x, i) => (x < (Y[i] as number) || x === Y[i] ? Y[i] : x));
  expect(Array.from(found[5] as Float32Array)).toEqual(chosen);
});

it('goes through tensors with strides of their own, and adds up along axes', () => {
  // x [2, 3, 8] cut from [2, 5, 8], beside a number for each of 8 columns and one for each of 2 rows.
  const whole = Float32Array.from({ length: 80 }, (_, i) => (i * 7) % 23);
  const columns = Float32Array.from({ length: 8 }, (_, i) => i / 4);
  const rows = Float32Array.of(10, 20);
  const loop: Loop = {
    extents: [2, 3, 8],
    instructions: [
      { kind: 'load', tensor: { parameter: 0, strides: [40, 8, 1] } },
      { kind: 'load', tensor: { parameter: 1, strides: [0, 0, 1] } },
      { kind: 'load', tensor: { parameter: 2, strides: [1, 0, 0] } },
      { kind: 'constant', value: 0.5 },
      { kind: 'compute', op: 'Sub', inputs: [0, 1], alpha: 0, beta: 0 },
      { kind: 'compute', op: 'Mul', inputs: [4, 3], alpha: 0, beta: 0 },
      { kind: 'compute', op: 'Add', inputs: [5, 2], alpha: 0, beta: 0 },
    ],
    stores: [{ value: 6, tensor: { parameter: 3, strides: [24, 8, 1] } }],
    sums: [
      { value: 6, axis: 1, tensor: { parameter: 4, strides: [8, 0, 1] } },
      { value: 0, axis: 0, tensor: { parameter: 5, strides: [0, 0, 1] } },
    ],
  };
  const made = runLoop(loop, [whole, columns, rows, new Float32Array(48), new Float32Array(16), new Float32Array(8)]);
  const x = (i: number, j: number, k: number) => whole[i * 40 + j * 8 + k] as number;
  const y = (i: number, j: number, k: number) => (x(i, j, k) - (columns[k] as number)) * 0.5 + (rows[i] as number);
  const each = <T>(n: number, of: (i: number) => T) => Array.from({ length: n }, (_, i) => of(i));
  expect(Array.from(made[3] as Float32Array)).toEqual(
    each(2, (i) => each(3, (j) => each(8, (k) => y(i, j, k)))).flat(2),
  );
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  expect(Array.from(made[4] as Float32Array)).toEqual(
    each(2, (i) => each(8, (k) => sum(each(3, (j) => y(i, j, k))))).flat(),
  );
  expect(Array.from(made[5] as Float32Array)).toEqual(
    each(8, (k) => sum(each(2, (i) => sum(each(3, (j) => x(i, j, k)))))),
  );
  // What is read is left as it is.
  expect(made.slice(0, 3)).toEqual([whole, columns, rows]);
});
