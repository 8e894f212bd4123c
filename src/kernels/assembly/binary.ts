/** Operators of tapes on two tensors, or three, broadcast by their strides: see `tape`. */

/** The operators of `binary`, by their numbers in `common/tape`. */
const enum Binary {
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

/** One pair. */
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
