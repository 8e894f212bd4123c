/** Operators of tapes on one tensor, element by element: see `tape`. */
import { exp4, log4 } from './transcendental';

/** The operators of `unary`, by their numbers in `common/tape`. */
const enum Unary {
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

/** Four elements; Sigmoid if the operator is none of the others. */
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
  // With the exponential that is at most 1: the other one overflows where the result is a small number still.
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  return f32x4.div(v128.bitselect(one, e, f32x4.ge(x, zero)), f32x4.add(one, e));
}

/** The operators that are computed one element at a time: they are rare, or have no form for four. */
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
