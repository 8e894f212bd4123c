/**
 * exp and log of four floats at a time, without branches: off by less than two units in the last place. Formulas and
 * coefficients are those of `expf` and `logf` of the Cephes library (S. L. Moshier, netlib.org/cephes, single precision).
 */

/** ln 2 in two pieces, of which the first has so few bits that small multiples of it are exact. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.1219444e-4;
const LOG2_E: f32 = 1.44269504;

@inline
function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** a * b + c, with the same c for all four; rounded twice. */
@inline
function multiplyAdd(a: v128, b: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(a, b), splat(c));
}

/** e^x as 2^n e^r, where |r| is at most half of ln 2. Beyond the range of floats 0 or infinity. */
@inline
export function exp4(x: v128): v128 {
  const within = f32x4.max(splat(-104), f32x4.min(splat(89), x));
  const n = f32x4.nearest(f32x4.mul(within, splat(LOG2_E)));
  const r = f32x4.sub(f32x4.sub(within, f32x4.mul(n, splat(LN2_HIGH))), f32x4.mul(n, splat(LN2_LOW)));
  let p = multiplyAdd(splat(1.98756915e-4), r, 1.39819995e-3);
  p = multiplyAdd(p, r, 8.33345191e-3);
  p = multiplyAdd(p, r, 4.16657959e-2);
  p = multiplyAdd(p, r, 1.66666655e-1);
  p = multiplyAdd(p, r, 5.00000012e-1);
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), splat(1));
  // In two halves: 2^n alone need not be a normal number.
  const power = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(power, 1);
  return f32x4.mul(f32x4.mul(p, powerOf2(half)), powerOf2(i32x4.sub(power, half)));
}

@inline
function powerOf2(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** ln x as e ln 2 + ln(1 + m), where 1 + m is between sqrt(1/2) and sqrt(2). */
@inline
export function log4(x: v128): v128 {
  const isDenormal = f32x4.lt(x, splat(1.17549435e-38));
  const normal = v128.bitselect(f32x4.mul(x, splat(8388608)), x, isDenormal);
  const exponent = i32x4.sub(i32x4.shr_u(normal, 23), i32x4.splat(126));
  let e = f32x4.convert_i32x4_s(exponent);
  e = f32x4.sub(e, v128.and(isDenormal, splat(23)));
  const mantissa = v128.or(v128.and(normal, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const isSmall = f32x4.lt(mantissa, splat(0.707106781));
  e = f32x4.sub(e, v128.and(isSmall, splat(1)));
  const m = f32x4.sub(f32x4.add(mantissa, v128.and(isSmall, mantissa)), splat(1));
  let p = multiplyAdd(splat(7.03768363e-2), m, -1.1514610310e-1);
  p = multiplyAdd(p, m, 1.1676998740e-1);
  p = multiplyAdd(p, m, -1.2420140846e-1);
  p = multiplyAdd(p, m, 1.4249322787e-1);
  p = multiplyAdd(p, m, -1.6668057665e-1);
  p = multiplyAdd(p, m, 2.0000714765e-1);
  p = multiplyAdd(p, m, -2.4999993993e-1);
  p = multiplyAdd(p, m, 3.3333331174e-1);
  const square = f32x4.mul(m, m);
  let y = f32x4.mul(f32x4.mul(p, m), square);
  y = f32x4.add(y, f32x4.mul(e, splat(LN2_LOW)));
  y = f32x4.sub(y, f32x4.mul(square, splat(0.5)));
  const finite = f32x4.add(f32x4.add(m, y), f32x4.mul(e, splat(LN2_HIGH)));
  return ofSpecial(x, finite);
}

/** What log has for 0, infinity, negative numbers and NaN, in place of `finite`. */
@inline
function ofSpecial(x: v128, finite: v128): v128 {
  let result = v128.bitselect(splat(-Infinity), finite, f32x4.eq(x, splat(0)));
  result = v128.bitselect(x, result, f32x4.eq(x, splat(Infinity)));
  const hasLog = f32x4.ge(x, splat(0));
  return v128.bitselect(result, splat(NaN), hasLog);
}
