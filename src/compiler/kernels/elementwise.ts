/** tfjs kernels that act on each element alone. */
import { add, binary, clip, div, logical, mul, scalar, step, sub, unary, where } from '../graph/elementwise.js';
import { cast, reshape } from '../graph/layout.js';
import type { Value } from '../graph/value.js';
import { input, inputList, type KernelRule, type KernelTable } from './rule.js';

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const x1 =
  (f: (x: Value) => Value): KernelRule =>
  (inputs) =>
    f(input(inputs, 'x'));

const on =
  (op: string): KernelRule =>
  (inputs) =>
    unary(op, input(inputs, 'x'));

const ab =
  (f: (a: Value, b: Value) => Value): KernelRule =>
  (inputs) =>
    f(input(inputs, 'a'), input(inputs, 'b'));

const pair = (op: string): KernelRule => ab((a, b) => binary(op, a, b));

/** exp(x) - 1, as expm1: ONNX has no such operator, Elu is one below zero and exp above. */
function expm1(x: Value): Value {
  const below = unary('Elu', x, { alpha: 1 });
  return where(binary('Greater', x, scalar(x, 0)), sub(unary('Exp', x), scalar(x, 1)), below);
}

/** log(1 + x) with the usual correction log(u) * x / (u - 1), u = 1 + x, which keeps small x exact. */
function log1p(x: Value): Value {
  const one = scalar(x, 1);
  const u = add(x, one);
  const difference = sub(u, one);
  const isZero = binary('Equal', difference, scalar(x, 0));
  const safe = where(isZero, one, difference);
  return where(isZero, x, mul(unary('Log', u), div(x, safe)));
}

/** dy where y > 0, else dy * (y + 1). */
function eluGrad(dy: Value, y: Value): Value {
  return mul(dy, add(unary('Neg', unary('Relu', unary('Neg', y))), scalar(y, 1)));
}

function stepWithAlpha(x: Value, alpha: number): Value {
  if (alpha === 0) return step(x);
  const positive = binary('Greater', x, scalar(x, 0));
  return where(positive, scalar(x, 1), scalar(x, alpha));
}

/** Integer division that rounds down, as tfjs' floorDiv. */
function floorDiv(a: Value, b: Value): Value {
  if (a.dtype === 'float32') return unary('Floor', binary('Div', a, b));
  return cast(unary('Floor', binary('Div', cast(a, 'float32'), cast(b, 'float32'))), 'int32');
}

/** a - b * floor(a / b), the remainder with the divisor's sign. */
function floorMod(a: Value, b: Value): Value {
  return sub(a, mul(b, floorDiv(a, b)));
}

const square = (x: Value): Value => mul(x, x);
const rsqrt = (x: Value): Value => unary('Reciprocal', unary('Sqrt', x));
const zero = (x: Value): Value => x.graph.splat(0, x.shape, x.dtype);
const one = (x: Value): Value => x.graph.splat(1, x.shape, x.dtype);

const UNARY: KernelTable = {
  Abs: on('Abs'),
  Acos: on('Acos'),
  Acosh: on('Acosh'),
  Asin: on('Asin'),
  Asinh: on('Asinh'),
  Atan: on('Atan'),
  Atanh: on('Atanh'),
  Ceil: on('Ceil'),
  Cos: on('Cos'),
  Cosh: on('Cosh'),
  Elu: x1((x) => unary('Elu', x, { alpha: 1 })),
  Erf: on('Erf'),
  Exp: on('Exp'),
  Expm1: x1(expm1),
  Floor: on('Floor'),
  IsInf: x1((x) => unary('IsInf', x, {}, 'bool')),
  IsNan: x1((x) => unary('IsNaN', x, {}, 'bool')),
  LeakyRelu: (inputs, attrs) => unary('LeakyRelu', input(inputs, 'x'), { alpha: attrs.alpha }),
  Log: on('Log'),
  Log1p: x1(log1p),
  LogicalNot: x1((x) => unary('Not', cast(x, 'bool'))),
  Neg: on('Neg'),
  OnesLike: x1(one),
  Reciprocal: on('Reciprocal'),
  Relu: on('Relu'),
  Relu6: x1((x) => clip(x, 0, 6)),
  Round: on('Round'),
  Rsqrt: x1(rsqrt),
  Selu: x1((x) => unary('Selu', x, { alpha: SELU_ALPHA, gamma: SELU_SCALE })),
  Sigmoid: on('Sigmoid'),
  Sign: on('Sign'),
  Sin: on('Sin'),
  Sinh: on('Sinh'),
  Softplus: on('Softplus'),
  Sqrt: on('Sqrt'),
  Square: x1(square),
  Step: (inputs, attrs) => stepWithAlpha(input(inputs, 'x'), attrs.alpha ?? 0),
  Tan: on('Tan'),
  Tanh: on('Tanh'),
  ZerosLike: x1(zero),
};

const BINARY: KernelTable = {
  Add: pair('Add'),
  Equal: pair('Equal'),
  FloorDiv: ab(floorDiv),
  Greater: pair('Greater'),
  GreaterEqual: pair('GreaterOrEqual'),
  Less: pair('Less'),
  LessEqual: pair('LessOrEqual'),
  LogicalAnd: ab((a, b) => logical('And', a, b)),
  LogicalOr: ab((a, b) => logical('Or', a, b)),
  LogicalXor: ab((a, b) => logical('Xor', a, b)),
  Maximum: pair('Max'),
  Minimum: pair('Min'),
  Mod: ab(floorMod),
  Multiply: pair('Mul'),
  NotEqual: ab((a, b) => unary('Not', binary('Equal', a, b))),
  Pow: pair('Pow'),
  RealDiv: pair('Div'),
  SquaredDifference: ab((a, b) => square(sub(a, b))),
  Sub: pair('Sub'),
};

export const elementwise: KernelTable = {
  ...UNARY,
  ...BINARY,
  AddN: (inputs) => inputList(inputs).reduce(add),
  Cast: (inputs, attrs) => cast(input(inputs, 'x'), attrs.dtype),
  ClipByValue: (inputs, attrs) => clip(input(inputs, 'x'), attrs.clipValueMin, attrs.clipValueMax),
  EluGrad: (inputs) => eluGrad(input(inputs, 'dy'), input(inputs, 'y')),
  Identity: x1((x) => x),
  IsFinite: x1((x) => binary('Less', unary('Abs', x), scalar(x, Number.POSITIVE_INFINITY))),
  Prelu: (inputs) => {
    const [x, alpha] = [input(inputs, 'x'), input(inputs, 'alpha')];
    return add(unary('Relu', x), mul(alpha, sub(x, unary('Relu', x))));
  },
  Select: (inputs) => {
    const [condition, a, b] = [input(inputs, 'condition'), input(inputs, 't'), input(inputs, 'e')];
    // A condition of rank 1 picks whole rows.
    const missing = a.shape.length - condition.shape.length;
    const shape = [...condition.shape, ...new Array<number>(Math.max(0, missing)).fill(1)];
    return where(cast(reshape(condition, shape), 'bool'), a, b);
  },
};
