/** Operators of tapes along one axis: see `tape`. */
import { exp4 } from './transcendental';

/** The operators of `reduce`, by their numbers in `common/tape`. */
const enum Reduction {
  Sum,
  Max,
  Min,
  Prod,
}

/** Reduces the middle axis of [outer, middle, inner]. */
export function reduce(op: Reduction, out: usize, x: usize, outer: i32, middle: i32, inner: i32): void {
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
export function softmax(out: usize, x: usize, rows: i32, columns: i32): void {
  const end = <usize>columns << 2;
  for (let i = 0; i < rows; i++) {
    let most = load<f32>(x);
    for (let at: usize = 4; at < end; at += 4) most = max<f32>(most, load<f32>(x + at));
    exponentials(out, x, end, f32x4.splat(most));
    let sum: f32 = 0;
    for (let at: usize = 0; at < end; at += 4) sum += load<f32>(out + at);
    const sums = f32x4.splat(sum);
    let at: usize = 0;
    for (; at + 16 <= end; at += 16) v128.store(out + at, f32x4.div(v128.load(out + at), sums));
    for (; at < end; at += 4) store<f32>(out + at, load<f32>(out + at) / sum);
    out += end;
    x += end;
  }
}

/**
 * out = exp(x - largest), of `bytes` bytes. `out` must not be `x`: where the number of elements is no multiple of four, the last
 * four overlap those before, and some are computed twice.
 */
@inline
function exponentials(out: usize, x: usize, bytes: usize, largest: v128): void {
  if (bytes < 16) {
    for (let at: usize = 0; at < bytes; at += 4) {
      const one = exp4(f32x4.sub(v128.load32_splat(x + at), largest));
      store<f32>(out + at, f32x4.extract_lane(one, 0));
    }
    return;
  }
  for (let at: usize = 0; at + 16 < bytes; at += 16) v128.store(out + at, exp4(f32x4.sub(v128.load(x + at), largest)));
  const last = bytes - 16;
  v128.store(out + last, exp4(f32x4.sub(v128.load(x + last), largest)));
}

/** Number of the first largest (sign 1) or smallest (sign -1) value of each row. */
export function argMax(out: usize, x: usize, rows: i32, columns: i32, sign: f32): void {
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
