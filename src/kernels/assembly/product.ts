/** Matrix products of tapes: see `tape`. */

/**
 * out[i, j] = bias[i, j] + sum over l of a[i, l] b[l, j].
 *
 * @param bias 0 for none
 */
export function gemm(
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
