/** The smallest normal float32. */
const LEAST_NORMAL: f32 = 1.17549435e-38;

/**
 * What is left of an optimizer's state: 0 in place of numbers below the smallest normal one. Where gradients have become 0, as of
 * a ReLU that no row reaches any more, velocities and averages shrink to such numbers and stay there (0.9 times the smallest is
 * rounded to the smallest), and many processors take a hundred times as long for each product with one: an update of a network
 * half of whose units are silent took fifty times as long. NaN stays NaN.
 */
@inline
export function unlessTiny(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(LEAST_NORMAL)));
}

/** The same of what others are divided by, or by its root: without an epsilon, a 0 there would divide by 0. */
@inline
export function divisorUnlessTiny(x: v128, epsilon: f32): v128 {
  return epsilon == 0 ? x : unlessTiny(x);
}
