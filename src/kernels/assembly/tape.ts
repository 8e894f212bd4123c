/**
 * Runs tapes: small step programs as lists of calls, on float32 tensors in the arena. `common/tape` has the same lists of operators.
 *
 * Pointers and strides are in bytes, sizes in elements. A stride of 0 repeats an element. Booleans and class numbers are
 * floats here. Whatever the sizes, each result is computed by one fixed sequence of operations: it does not depend on how
 * the rows of a mini-batch are cut.
 */
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

export const enum Reduction {
  Sum,
  Max,
  Min,
  Prod,
}

/**
 * out[i, j] = bias[i, j] + sum over l of a[i, l] b[l, j].
 *
 * @param bias 0 for none
 */
function gemm(
  out: usize,
  a: usize,
  b: usize,
  bias: usize,
  m: i32,
  n: i32,
  k: i32,
  aRow: usize,
  aColumn: usize,
  bRow: usize,
  bColumn: usize,
  biasRow: usize,
  biasColumn: usize,
): void {
  // Along the columns where they lie side by side, four at a time; else one product after the other.
  const wide = bColumn == 4 && n >= 4 && (bias == 0 || biasColumn == 4) ? n & ~3 : 0;
  const outRow = <usize>n << 2;
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    const to = out + <usize>i * outRow;
    const from = a + <usize>i * aRow;
    const start = bias + <usize>i * biasRow;
    for (let j = 0; j < wide; j += 4) fourRows(to, from, b, bias ? start : 0, j, k, outRow, aRow, aColumn, bRow, biasRow);
  }
  for (; i < m; i++) {
    const to = out + <usize>i * outRow;
    const from = a + <usize>i * aRow;
    const start = bias + <usize>i * biasRow;
    for (let j = 0; j < wide; j += 4) oneRow(to, from, b, bias ? start : 0, j, k, aColumn, bRow);
  }
  if (wide == n) return;
  for (i = 0; i < m; i++) {
    for (let j = wide; j < n; j++) {
      const start: f32 = bias ? load<f32>(bias + <usize>i * biasRow + <usize>j * biasColumn) : 0;
      const sum = dot(a + <usize>i * aRow, b + <usize>j * bColumn, k, aColumn, bRow);
      store<f32>(out + <usize>i * outRow + (<usize>j << 2), start + sum);
    }
  }
}

/** Sum of the products of two vectors: four sums side by side where their elements lie side by side. */
@inline
function dot(x: usize, y: usize, k: i32, xStep: usize, yStep: usize): f32 {
  let l = 0;
  let sum: f32 = 0;
  if (xStep == 4 && yStep == 4) {
    let sums = f32x4.splat(0);
    for (; l + 4 <= k; l += 4) {
      sums = f32x4.add(sums, f32x4.mul(v128.load(x), v128.load(y)));
      x += 16;
      y += 16;
    }
    sum =
      f32x4.extract_lane(sums, 0) +
      f32x4.extract_lane(sums, 1) +
      (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  }
  for (; l < k; l++) {
    sum += load<f32>(x) * load<f32>(y);
    x += xStep;
    y += yStep;
  }
  return sum;
}

@inline
function fourRows(
  out: usize,
  a: usize,
  b: usize,
  bias: usize,
  j: i32,
  k: i32,
  outRow: usize,
  aRow: usize,
  aColumn: usize,
  bRow: usize,
  biasRow: usize,
): void {
  const at = <usize>j << 2;
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  if (bias) {
    s0 = v128.load(bias + at);
    s1 = v128.load(bias + at + biasRow);
    s2 = v128.load(bias + at + 2 * biasRow);
    s3 = v128.load(bias + at + 3 * biasRow);
  }
  let x = a;
  let y = b + at;
  for (let l = 0; l < k; l++) {
    const row = v128.load(y);
    s0 = f32x4.add(s0, f32x4.mul(v128.load32_splat(x), row));
    s1 = f32x4.add(s1, f32x4.mul(v128.load32_splat(x + aRow), row));
    s2 = f32x4.add(s2, f32x4.mul(v128.load32_splat(x + 2 * aRow), row));
    s3 = f32x4.add(s3, f32x4.mul(v128.load32_splat(x + 3 * aRow), row));
    x += aColumn;
    y += bRow;
  }
  v128.store(out + at, s0);
  v128.store(out + at + outRow, s1);
  v128.store(out + at + 2 * outRow, s2);
  v128.store(out + at + 3 * outRow, s3);
}

@inline
function oneRow(out: usize, a: usize, b: usize, bias: usize, j: i32, k: i32, aColumn: usize, bRow: usize): void {
  const at = <usize>j << 2;
  let sum = bias ? v128.load(bias + at) : f32x4.splat(0);
  let x = a;
  let y = b + at;
  for (let l = 0; l < k; l++) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x), v128.load(y)));
    x += aColumn;
    y += bRow;
  }
  v128.store(out + at, sum);
}

/** out[i, j, l] = op(a, b) on tensors of three axes, broadcast by their strides. */
function binary(
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
function unary(op: Unary, out: usize, x: usize, n: i32, alpha: f32, beta: f32): void {
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
function where(
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

/** Reduces the middle axis of [outer, middle, inner]. */
function reduce(op: Reduction, out: usize, x: usize, outer: i32, middle: i32, inner: i32): void {
  const row = <usize>inner << 2;
  for (let i = 0; i < outer; i++) {
    for (let l = 0; l < inner; l++) {
      let from = x + (<usize>l << 2);
      let value = load<f32>(from);
      for (let j = 1; j < middle; j++) {
        from += row;
        value = combine(op, value, load<f32>(from));
      }
      store<f32>(out, value);
      out += 4;
    }
    x += <usize>middle * row;
  }
}

@inline
function combine(op: Reduction, x: f32, y: f32): f32 {
  if (op == Reduction.Sum) return x + y;
  if (op == Reduction.Max) return max<f32>(x, y);
  if (op == Reduction.Min) return min<f32>(x, y);
  return x * y;
}

/** Softmax of each row, by its largest value: exp(x - max) / sum. */
function softmax(out: usize, x: usize, rows: i32, columns: i32): void {
  const end = <usize>columns << 2;
  for (let i = 0; i < rows; i++) {
    let most = load<f32>(x);
    for (let at: usize = 4; at < end; at += 4) most = max<f32>(most, load<f32>(x + at));
    exponentials(out, x, end, f32x4.splat(most));
    let sum: f32 = 0;
    for (let at: usize = 0; at < end; at += 4) sum += load<f32>(out + at);
    const all = f32x4.splat(sum);
    let at: usize = 0;
    for (; at + 16 <= end; at += 16) v128.store(out + at, f32x4.div(v128.load(out + at), all));
    for (; at < end; at += 4) store<f32>(out + at, load<f32>(out + at) / sum);
    out += end;
    x += end;
  }
}

/** out = exp(x - largest), of `end` bytes. The last four may be in part the four before: they are the same again. */
@inline
function exponentials(out: usize, x: usize, end: usize, largest: v128): void {
  if (end < 16) {
    for (let at: usize = 0; at < end; at += 4) {
      const one = exp4(f32x4.sub(v128.load32_splat(x + at), largest));
      store<f32>(out + at, f32x4.extract_lane(one, 0));
    }
    return;
  }
  for (let at: usize = 0; at + 16 < end; at += 16) v128.store(out + at, exp4(f32x4.sub(v128.load(x + at), largest)));
  const last = end - 16;
  v128.store(out + last, exp4(f32x4.sub(v128.load(x + last), largest)));
}

/** Number of the first largest (sign 1) or smallest (sign -1) value of each row. */
function argMax(out: usize, x: usize, rows: i32, columns: i32, sign: f32): void {
  for (let i = 0; i < rows; i++) {
    let best = 0;
    let most = sign * load<f32>(x);
    for (let j = 1; j < columns; j++) {
      const value = sign * load<f32>(x + (<usize>j << 2));
      if (value > most) {
        most = value;
        best = j;
      }
    }
    store<f32>(out, <f32>best);
    out += 4;
    x += <usize>columns << 2;
  }
}

/** Copies a tensor of four axes from strides to strides: transposes, repeats, joins and cuts. */
function copy(
  out: usize,
  x: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      for (let l = 0; l < n2; l++) {
        let from = x + <usize>i * x0 + <usize>j * x1 + <usize>l * x2;
        let to = out + <usize>i * o0 + <usize>j * o1 + <usize>l * o2;
        for (let m = 0; m < n3; m++) {
          store<f32>(to, load<f32>(from));
          from += x3;
          to += o3;
        }
      }
    }
  }
}

/** The calls of a tape, by number. */
const enum Call {
  Gemm,
  Binary,
  Unary,
  Where,
  Reduce,
  Softmax,
  ArgMax,
  Copy,
}

/** Bytes of a call: its number and its arguments, a word of four bytes each. */
const CALL_BYTES: usize = 72;

@inline
function word(at: usize, index: usize): i32 {
  return load<i32>(at + (index << 2));
}

@inline
function size(at: usize, index: usize): usize {
  return <usize>load<u32>(at + (index << 2));
}

@inline
function float(at: usize, index: usize): f32 {
  return load<f32>(at + (index << 2));
}

/** Makes the calls that stand from `tape` to `end`, one after the other. */
export function runTape(tape: usize, end: usize): void {
  for (let at = tape; at < end; at += CALL_BYTES) {
    switch (word(at, 0)) {
      case Call.Gemm:
        gemm(
          size(at, 1),
          size(at, 2),
          size(at, 3),
          size(at, 4),
          word(at, 5),
          word(at, 6),
          word(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
        );
        break;
      case Call.Binary:
        binary(
          word(at, 1),
          size(at, 2),
          size(at, 3),
          size(at, 4),
          word(at, 5),
          word(at, 6),
          word(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
        );
        break;
      case Call.Unary:
        unary(word(at, 1), size(at, 2), size(at, 3), word(at, 4), float(at, 5), float(at, 6));
        break;
      case Call.Where:
        where(
          size(at, 1),
          size(at, 2),
          size(at, 3),
          size(at, 4),
          word(at, 5),
          word(at, 6),
          word(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
          size(at, 14),
          size(at, 15),
          size(at, 16),
        );
        break;
      case Call.Reduce:
        reduce(word(at, 1), size(at, 2), size(at, 3), word(at, 4), word(at, 5), word(at, 6));
        break;
      case Call.Softmax:
        softmax(size(at, 1), size(at, 2), word(at, 3), word(at, 4));
        break;
      case Call.ArgMax:
        argMax(size(at, 1), size(at, 2), word(at, 3), word(at, 4), float(at, 5));
        break;
      default:
        copy(
          size(at, 1),
          size(at, 2),
          word(at, 3),
          word(at, 4),
          word(at, 5),
          word(at, 6),
          size(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
          size(at, 14),
        );
    }
  }
}
