import { slotAt, sumOfSlots } from './update';

/**
 * Sums the gradient slots into the first one, over a slice, and returns the sum of its squares in double precision.
 *
 * To clip by a norm, all of a gradient must be known before any of it is applied.
 */
export function reduceSquares(table: usize, count: i32, from: usize, to: usize): f64 {
  const first = slotAt(table, 0);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let offset = from; offset < to; offset += 16) {
    const g = sumOfSlots(table, count, offset);
    v128.store(first + offset, g);
    const a = f64x2.promote_low_f32x4(g);
    const b = f64x2.promote_low_f32x4(i8x16.shuffle(g, g, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
