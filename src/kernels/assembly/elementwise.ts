/** Operators of tapes that work element by element: see `tape`. `common/tape` has the same lists. */
import { exp4, log4 } from './transcendental';

/** The operators of `binary`, by number. */
export const enum Binary {
  Add,
  Sub,
  Mul,
  Div,
  Max,
  Min,
  Equal,
  Greater,
  GreaterOrEqual,
  Less,
  LessOrEqual,
  And,
  Or,
  Pow,
}

/** The operators of `unary`, by number. */
export const enum Unary {
  Relu,
  HardSigmoid,
  Clip,
  Neg,
  Abs,
  Exp,
  Log,
  Sqrt,
  Reciprocal,
  Sigmoid,
  Tanh,
  Softplus,
  Elu,
  Selu,
  LeakyRelu,
  Floor,
  Ceil,
  Sign,
  Not,
  NotZero,
  Truncate,
}

/** out[i, j, l] = op(a, b) on tensors of three axes, broadcast by their strides. */
export function binary(
  op: Binary,
  out: usize,
  a: usize,
  b: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  a0: usize,
  a1: usize,
  a2: usize,
  b0: usize,
  b1: usize,
  b2: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      binaryRow(op, out, a + <usize>i * a0 + <usize>j * a1, b + <usize>i * b0 + <usize>j * b1, n2, a2, b2);
      out += <usize>n2 << 2;
    }
  }
}

/** One loop for each operator: a choice within the loop would cost more than the arithmetic. */
function binaryRow(op: Binary, out: usize, a: usize, b: usize, n: i32, aStep: usize, bStep: usize): void {
  switch (op) {
    case Binary.Add:
      return pairs(Binary.Add, out, a, b, n, aStep, bStep);
    case Binary.Sub:
      return pairs(Binary.Sub, out, a, b, n, aStep, bStep);
    case Binary.Mul:
      return pairs(Binary.Mul, out, a, b, n, aStep, bStep);
    case Binary.Div:
      return pairs(Binary.Div, out, a, b, n, aStep, bStep);
    case Binary.Max:
      return pairs(Binary.Max, out, a, b, n, aStep, bStep);
    case Binary.Min:
      return pairs(Binary.Min, out, a, b, n, aStep, bStep);
    case Binary.Equal:
      return pairs(Binary.Equal, out, a, b, n, aStep, bStep);
    case Binary.Greater:
      return pairs(Binary.Greater, out, a, b, n, aStep, bStep);
    case Binary.GreaterOrEqual:
      return pairs(Binary.GreaterOrEqual, out, a, b, n, aStep, bStep);
    case Binary.Less:
      return pairs(Binary.Less, out, a, b, n, aStep, bStep);
    case Binary.LessOrEqual:
      return pairs(Binary.LessOrEqual, out, a, b, n, aStep, bStep);
    case Binary.And:
      return pairs(Binary.And, out, a, b, n, aStep, bStep);
    case Binary.Or:
      return pairs(Binary.Or, out, a, b, n, aStep, bStep);
    default:
      return pairs(Binary.Pow, out, a, b, n, aStep, bStep);
  }
}

@inline
function pairs(op: Binary, out: usize, a: usize, b: usize, n: i32, aStep: usize, bStep: usize): void {
  let i = 0;
  if (op != Binary.Pow && n >= 4 && (aStep == 4 || aStep == 0) && (bStep == 4 || bStep == 0)) {
    const x = v128.load32_splat(a);
    const y = v128.load32_splat(b);
    for (; i + 4 <= n; i += 4) {
      v128.store(out, ofPairs(op, aStep ? v128.load(a) : x, bStep ? v128.load(b) : y));
      out += 16;
      a += aStep << 2;
      b += bStep << 2;
    }
  }
  for (; i < n; i++) {
    store<f32>(out, ofPair(op, load<f32>(a), load<f32>(b)));
    out += 4;
    a += aStep;
    b += bStep;
  }
}

/** `ofPair` of four pairs, to the same bits. */
@inline
function ofPairs(op: Binary, x: v128, y: v128): v128 {
  if (op == Binary.Add) return f32x4.add(x, y);
  if (op == Binary.Sub) return f32x4.sub(x, y);
  if (op == Binary.Mul) return f32x4.mul(x, y);
  if (op == Binary.Div) return f32x4.div(x, y);
  if (op == Binary.Max) return f32x4.max(x, y);
  if (op == Binary.Min) return f32x4.min(x, y);
  if (op == Binary.Equal) return ones(f32x4.eq(x, y));
  if (op == Binary.Greater) return ones(f32x4.gt(x, y));
  if (op == Binary.GreaterOrEqual) return ones(f32x4.ge(x, y));
  if (op == Binary.Less) return ones(f32x4.lt(x, y));
  if (op == Binary.LessOrEqual) return ones(f32x4.le(x, y));
  const zero = f32x4.splat(0);
  if (op == Binary.And) return ones(v128.and(f32x4.ne(x, zero), f32x4.ne(y, zero)));
  return ones(v128.or(f32x4.ne(x, zero), f32x4.ne(y, zero)));
}

/** 1 where a comparison holds, else 0. */
@inline
function ones(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1));
}

@inline
function ofPair(op: Binary, x: f32, y: f32): f32 {
  if (op == Binary.Add) return x + y;
  if (op == Binary.Sub) return x - y;
  if (op == Binary.Mul) return x * y;
  if (op == Binary.Div) return x / y;
  if (op == Binary.Max) return max<f32>(x, y);
  if (op == Binary.Min) return min<f32>(x, y);
  if (op == Binary.Equal) return <f32>(x == y);
  if (op == Binary.Greater) return <f32>(x > y);
  if (op == Binary.GreaterOrEqual) return <f32>(x >= y);
  if (op == Binary.Less) return <f32>(x < y);
  if (op == Binary.LessOrEqual) return <f32>(x <= y);
  if (op == Binary.And) return <f32>(x != 0 && y != 0);
  if (op == Binary.Or) return <f32>(x != 0 || y != 0);
  return Mathf.pow(x, y);
}

/** out[i] = op(x[i]); what `alpha` and `beta` mean is the operator's own. */
export function unary(op: Unary, out: usize, x: usize, n: i32, alpha: f32, beta: f32): void {
  switch (op) {
    case Unary.Relu:
      return each(Unary.Relu, out, x, n, alpha, beta);
    case Unary.HardSigmoid:
      return each(Unary.HardSigmoid, out, x, n, alpha, beta);
    case Unary.Clip:
      return each(Unary.Clip, out, x, n, alpha, beta);
    case Unary.Neg:
      return each(Unary.Neg, out, x, n, alpha, beta);
    case Unary.Abs:
      return each(Unary.Abs, out, x, n, alpha, beta);
    case Unary.Exp:
      return each(Unary.Exp, out, x, n, alpha, beta);
    case Unary.Log:
      return each(Unary.Log, out, x, n, alpha, beta);
    case Unary.Sqrt:
      return each(Unary.Sqrt, out, x, n, alpha, beta);
    case Unary.Reciprocal:
      return each(Unary.Reciprocal, out, x, n, alpha, beta);
    case Unary.Sigmoid:
      return each(Unary.Sigmoid, out, x, n, alpha, beta);
    default:
      for (let i: usize = 0; i < <usize>n << 2; i += 4) store<f32>(out + i, ofOne(op, load<f32>(x + i), alpha, beta));
  }
}

/** Four at a time, and what is left over as if there were four. */
@inline
function each(op: Unary, out: usize, x: usize, n: i32, alpha: f32, beta: f32): void {
  const end = <usize>n << 2;
  let i: usize = 0;
  for (; i + 16 <= end; i += 16) v128.store(out + i, ofFour(op, v128.load(x + i), alpha, beta));
  for (; i < end; i += 4) {
    const one = ofFour(op, v128.load32_splat(x + i), alpha, beta);
    store<f32>(out + i, f32x4.extract_lane(one, 0));
  }
}

@inline
function ofFour(op: Unary, x: v128, alpha: f32, beta: f32): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  if (op == Unary.Relu) return f32x4.max(x, zero);
  if (op == Unary.HardSigmoid) {
    const line = f32x4.add(f32x4.mul(f32x4.splat(alpha), x), f32x4.splat(beta));
    return f32x4.max(zero, f32x4.min(one, line));
  }
  if (op == Unary.Clip) return f32x4.max(f32x4.splat(alpha), f32x4.min(f32x4.splat(beta), x));
  if (op == Unary.Neg) return f32x4.neg(x);
  if (op == Unary.Abs) return f32x4.abs(x);
  if (op == Unary.Exp) return exp4(x);
  if (op == Unary.Log) return log4(x);
  if (op == Unary.Sqrt) return f32x4.sqrt(x);
  if (op == Unary.Reciprocal) return f32x4.div(one, x);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** The operators that are made of none that work on four. */
@inline
function ofOne(op: Unary, x: f32, alpha: f32, beta: f32): f32 {
  switch (op) {
    case Unary.Tanh:
      return Mathf.tanh(x);
    case Unary.Softplus:
      return max<f32>(x, 0) + Mathf.log1p(Mathf.exp(-abs<f32>(x)));
    case Unary.Elu:
      return x < 0 ? alpha * Mathf.expm1(x) : x;
    case Unary.Selu:
      return x > 0 ? beta * x : beta * (alpha * Mathf.expm1(x));
    case Unary.LeakyRelu:
      return x < 0 ? alpha * x : x;
    case Unary.Floor:
      return floor<f32>(x);
    case Unary.Ceil:
      return ceil<f32>(x);
    case Unary.Sign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary.Not:
      return <f32>(x == 0);
    case Unary.NotZero:
      return <f32>(x != 0);
    default:
      return trunc<f32>(x);
  }
}

/** out = condition ? a : b, on tensors of three axes, broadcast by their strides. */
export function where(
  out: usize,
  condition: usize,
  a: usize,
  b: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  c0: usize,
  c1: usize,
  c2: usize,
  a0: usize,
  a1: usize,
  a2: usize,
  b0: usize,
  b1: usize,
  b2: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let c = condition + <usize>i * c0 + <usize>j * c1;
      let x = a + <usize>i * a0 + <usize>j * a1;
      let y = b + <usize>i * b0 + <usize>j * b1;
      for (let l = 0; l < n2; l++) {
        store<f32>(out, load<f32>(c) != 0 ? load<f32>(x) : load<f32>(y));
        out += 4;
        c += c2;
        x += a2;
        y += b2;
      }
    }
  }
}
