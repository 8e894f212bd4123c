/** Evaluation of operators on constants while the graph is built. */
import { broadcast, sameShape } from './shapes.js';
import type { Attrs, ConstantData, IrType, Value } from './value.js';

/** Larger constants are left to the runtime: folding them would only make the program bigger. */
const MAX_FOLDED = 1024;

const UNARY: Record<string, (x: number) => number> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Exp: Math.exp,
  Floor: Math.floor,
  Log: Math.log,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
  Not: (x) => Number(!x),
};

const BINARY: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Pow: (a, b) => a ** b,
  Max: Math.max,
  Min: Math.min,
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  And: (a, b) => Number(a && b),
  Or: (a, b) => Number(a || b),
};

export function foldUnary(op: string, x: Value, attrs: Attrs, dtype: IrType): Value | undefined {
  const f = UNARY[op];
  if (!f || Object.keys(attrs).length > 0) return undefined;
  if (x.splat !== undefined) return x.graph.splat(f(x.splat), x.shape, dtype);
  if (!x.data || x.data.length > MAX_FOLDED || x.dtype === 'int64') return undefined;
  const numbers = Array.from(x.data as Float32Array, f);
  return x.graph.constant(typed(numbers, dtype), x.shape, dtype);
}

export function foldBinary(op: string, a: Value, b: Value, dtype: IrType): Value | undefined {
  // Integer division truncates in ONNX and integer products may wrap: only floats divide here.
  const f = op === 'Div' && a.dtype === 'float32' ? (x: number, y: number) => x / y : BINARY[op];
  if (!f || a.dtype === 'int64') return undefined;
  if (a.splat !== undefined && b.splat !== undefined) {
    return a.graph.splat(f(a.splat, b.splat), broadcast(a.shape, b.shape), dtype);
  }
  const [x, y] = [elements(a, b), elements(b, a)];
  if (!x || !y) return undefined;
  const shape = a.data ? a.shape : b.shape;
  return a.graph.constant(
    typed(
      Array.from(x, (v, i) => f(v, y[i] as number)),
      dtype,
    ),
    shape,
    dtype,
  );
}

/** Elements of a small constant, a uniform one repeated to the size of the other. */
function elements(x: Value, other: Value): ArrayLike<number> | undefined {
  if (x.splat !== undefined && other.data && other.data.length <= MAX_FOLDED && x.shape.length <= other.shape.length) {
    return new Array<number>(other.data.length).fill(x.splat);
  }
  if (!x.data || x.data.length > MAX_FOLDED) return undefined;
  return other.splat !== undefined || sameShape(x.shape, other.shape) ? (x.data as Float32Array) : undefined;
}

function typed(numbers: number[], dtype: IrType): ConstantData {
  if (dtype === 'float32') return Float32Array.from(numbers);
  return dtype === 'bool' ? Uint8Array.from(numbers) : Int32Array.from(numbers);
}
