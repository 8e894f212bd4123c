/**
 * Reduce and optimizer step in one pass over a slice of the parameters.
 *
 * Every pointer is a byte address in the arena. `from` and `to` are byte offsets of the slice inside a slot, multiples of
 * 64 bytes (one cache line, 16 floats), so that two workers never write to the same line and no tail is left over.
 * Optimizers write new weights to `results + offset`, in place or in memory of the thread's own: only the sum, modulo 2^32, is an address.
 * `table` is the address of a table: where each of the slots with gradients begins, in four bytes. Slots are added in the
 * order of the table, that of the shards, so that the sum does not depend on who adds. Vector k of the optimizer's state
 * starts at `slots + k * slotStride`. There is no fused multiply-add in WebAssembly SIMD: the results are the same bits on
 * every machine. The formulas are those of `common/optimizers`, but for state that has become denormal, which is 0 (`tiny`).
 */

import { divisorUnlessTiny, unlessTiny } from './tiny';

/** Bytes of a cache line: slices are whole ones. */
const LINE: usize = 64;

// What is done to gradients and weights whatever the optimizer. In globals, since each thread has its own instance: set
// before a pass, so that the kernels need not hand on three more numbers each.
let gradientScale: f32 = 1;
let clipValue: f32 = Infinity;
let keep: f32 = 1;
let altersGradient = false;

/**
 * @param scale factor of every gradient (clipping by norm)
 * @param clip largest size of a gradient value (clipping by value); infinite if any will do
 * @param kept what is left of a weight before it is updated: 1 - rate * weightDecay
 */
export function setPass(scale: f32, clip: f32, kept: f32): void {
  gradientScale = scale;
  clipValue = clip;
  keep = kept;
  altersGradient = scale != 1 || clip != Infinity;
}

/** Where slot `s` of a table begins. */
@inline
export function slotAt(table: usize, s: i32): usize {
  return load<usize>(table + ((<usize>s) << 2));
}

/** Sum over the gradient slots of the four floats at `offset`. */
@inline
export function sumOfSlots(table: usize, count: i32, offset: usize): v128 {
  const first = slotAt(table, 0) + offset;
  const second = count > 1 ? slotAt(table, 1) + offset : 0;
  return sumFrom(first, second, table, count, offset);
}

/** The same, where it is known already where the four floats of the first two slots are: read from the table once, not for every four. */
@inline
function sumFrom(first: usize, second: usize, table: usize, count: i32, offset: usize): v128 {
  let sum = v128.load(first);
  if (count == 1) return sum;
  sum = f32x4.add(sum, v128.load(second));
  for (let s = 2; s < count; s++) sum = f32x4.add(sum, v128.load(slotAt(table, s) + offset));
  return sum;
}

/** The mini-batch gradient at `offset`, scaled and clipped. NaN stays NaN. */
@inline
function gradientAt(table: usize, count: i32, offset: usize): v128 {
  const sum = sumOfSlots(table, count, offset);
  return altersGradient ? scaledAndClipped(sum) : sum;
}

@inline
function scaledAndClipped(sum: v128): v128 {
  const scaled = f32x4.mul(sum, f32x4.splat(gradientScale));
  return f32x4.pmax(f32x4.pmin(scaled, f32x4.splat(clipValue)), f32x4.splat(-clipValue));
}

/** result = keep * weights + change. */
@inline
function change(weights: usize, result: usize, by: v128): void {
  v128.store(result, f32x4.add(f32x4.mul(f32x4.splat(keep), v128.load(weights)), by));
}

/** beta * average + (1 - beta) * value. */
@inline
function averaged(pointer: usize, beta: f32, value: v128): v128 {
  const old = f32x4.mul(f32x4.splat(beta), v128.load(pointer));
  return f32x4.add(old, f32x4.mul(f32x4.splat(1 - beta), value));
}

/** average = beta * average + (1 - beta) * value, stored and returned. */
@inline
function average(pointer: usize, beta: f32, value: v128): v128 {
  const result = unlessTiny(averaged(pointer, beta, value));
  v128.store(pointer, result);
  return result;
}

/** The same of the squares of `value`. */
@inline
function averageOfSquares(pointer: usize, beta: f32, value: v128, epsilon: f32): v128 {
  const result = divisorUnlessTiny(averaged(pointer, beta, f32x4.mul(value, value)), epsilon);
  v128.store(pointer, result);
  return result;
}

/** weights = sum of slots. For values that are replaced, not descended: batch norm's moving averages. */
export function reduceAssign(weights: usize, table: usize, count: i32, from: usize, to: usize): void {
  for (let offset = from; offset < to; offset += 16) {
    v128.store(weights + offset, sumOfSlots(table, count, offset));
  }
}

/** result = keep * weights + step * g, with step = -rate. Told of slots as all optimizers are (`KernelPass`), though it has none. */
export function reduceSgd(
  weights: usize,
  results: usize,
  slots: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  step: f32,
): void {
  const steps = f32x4.splat(step);
  for (let offset = from; offset < to; offset += 16) {
    change(weights + offset, results + offset, f32x4.mul(steps, gradientAt(table, count, offset)));
  }
}

/**
 * velocity = momentum * velocity + inner * g
 * result = keep * weights + outer * (nesterov ? momentum * velocity + inner * g : velocity)
 *
 * Keras: inner = -rate, outer = 1. tfjs: inner = 1, outer = -rate.
 */
export function reduceSgdMomentum(
  weights: usize,
  results: usize,
  velocity: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  inner: f32,
  outer: f32,
  momentum: f32,
  nesterov: bool,
): void {
  // One loop for each of the usual cases: its branches took as long as the arithmetic.
  if (altersGradient || nesterov) {
    momentumPass(weights, results, velocity, table, count, from, to, inner, outer, momentum, altersGradient, nesterov);
  } else if (count == 1) {
    momentumPass(weights, results, velocity, table, 1, from, to, inner, outer, momentum, false, false);
  } else if (count == 2) {
    momentumPass(weights, results, velocity, table, 2, from, to, inner, outer, momentum, false, false);
  } else {
    momentumPass(weights, results, velocity, table, count, from, to, inner, outer, momentum, false, false);
  }
}

/** @param altered whether gradients are scaled or clipped */
@inline
function momentumPass(
  weights: usize,
  results: usize,
  velocity: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  inner: f32,
  outer: f32,
  momentum: f32,
  altered: bool,
  nesterov: bool,
): void {
  const a = f32x4.splat(inner);
  const b = f32x4.splat(outer);
  const m = f32x4.splat(momentum);
  const first = slotAt(table, 0);
  const second = count > 1 ? slotAt(table, 1) : 0;
  for (let offset = from; offset < to; offset += LINE) {
    const w = weights + offset;
    const r = results + offset;
    const v = velocity + offset;
    const f = first + offset;
    const s = second + offset;
    momentumStep(w, r, v, f, s, table, count, offset, a, b, m, altered, nesterov);
    momentumStep(w + 16, r + 16, v + 16, f + 16, s + 16, table, count, offset + 16, a, b, m, altered, nesterov);
    momentumStep(w + 32, r + 32, v + 32, f + 32, s + 32, table, count, offset + 32, a, b, m, altered, nesterov);
    momentumStep(w + 48, r + 48, v + 48, f + 48, s + 48, table, count, offset + 48, a, b, m, altered, nesterov);
  }
}

/** Four floats, those at `offset` of the slots. */
@inline
function momentumStep(
  weights: usize,
  result: usize,
  velocity: usize,
  first: usize,
  second: usize,
  table: usize,
  count: i32,
  offset: usize,
  inner: v128,
  outer: v128,
  momentum: v128,
  altered: bool,
  nesterov: bool,
): void {
  const sum = sumFrom(first, second, table, count, offset);
  const g = f32x4.mul(inner, altered ? scaledAndClipped(sum) : sum);
  const v = unlessTiny(f32x4.add(f32x4.mul(momentum, v128.load(velocity)), g));
  v128.store(velocity, v);
  change(weights, result, f32x4.mul(outer, nesterov ? f32x4.add(f32x4.mul(momentum, v), g) : v));
}

export function reduceAdagrad(
  weights: usize,
  results: usize,
  accumulator: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  rate: f32,
  epsilon: f32,
): void {
  const step = f32x4.splat(-rate);
  const e = f32x4.splat(epsilon);
  for (let offset = from; offset < to; offset += 16) {
    const g = gradientAt(table, count, offset);
    const a = f32x4.add(v128.load(accumulator + offset), f32x4.mul(g, g));
    v128.store(accumulator + offset, a);
    change(weights + offset, results + offset, f32x4.mul(step, f32x4.div(g, f32x4.sqrt(f32x4.add(a, e)))));
  }
}

/** Vectors of the state: mean of squared gradients, mean of squared changes. */
export function reduceAdadelta(
  weights: usize,
  results: usize,
  slots: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  rate: f32,
  rho: f32,
  epsilon: f32,
  lagging: bool,
): void {
  const step = f32x4.splat(-rate);
  const e = f32x4.splat(epsilon);
  for (let offset = from; offset < to; offset += 16) {
    const g = gradientAt(table, count, offset);
    const before = v128.load(slots + offset);
    const after = averageOfSquares(slots + offset, rho, g, epsilon);
    const below = f32x4.sqrt(f32x4.add(lagging ? before : after, e));
    const changes = slots + slotStride + offset;
    const d = f32x4.mul(f32x4.div(f32x4.sqrt(f32x4.add(v128.load(changes), e)), below), g);
    averageOfSquares(changes, rho, d, epsilon);
    change(weights + offset, results + offset, f32x4.mul(step, d));
  }
}

/** Vectors of the state: first and second moment. `correction1` and `correction2` are what the moments are multiplied by. */
export function reduceAdam(
  weights: usize,
  results: usize,
  slots: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  rate: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  correction1: f32,
  correction2: f32,
): void {
  const step = f32x4.splat(-rate * correction1);
  const c2 = f32x4.splat(correction2);
  const e = f32x4.splat(epsilon);
  for (let offset = from; offset < to; offset += 16) {
    const g = gradientAt(table, count, offset);
    const m = average(slots + offset, beta1, g);
    const v = averageOfSquares(slots + slotStride + offset, beta2, g, epsilon);
    change(weights + offset, results + offset, f32x4.mul(step, f32x4.div(m, f32x4.add(f32x4.sqrt(f32x4.mul(v, c2)), e))));
  }
}

/** Vectors of the state: first moment, largest recent gradient. */
export function reduceAdamax(
  weights: usize,
  results: usize,
  slots: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  rate: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
): void {
  const step = f32x4.splat(-rate);
  const b2 = f32x4.splat(beta2);
  const e = f32x4.splat(epsilon);
  for (let offset = from; offset < to; offset += 16) {
    const g = gradientAt(table, count, offset);
    const m = average(slots + offset, beta1, g);
    const norm = slots + slotStride + offset;
    const largest = f32x4.max(f32x4.mul(b2, v128.load(norm)), f32x4.abs(g));
    const u = divisorUnlessTiny(largest, epsilon);
    v128.store(norm, u);
    change(weights + offset, results + offset, f32x4.mul(step, f32x4.div(m, f32x4.add(u, e))));
  }
}

/** Vectors of the state: mean square, velocity and, centered, mean. */
export function reduceRmsprop(
  weights: usize,
  results: usize,
  slots: usize,
  slotStride: usize,
  table: usize,
  count: i32,
  from: usize,
  to: usize,
  rate: f32,
  rho: f32,
  momentum: f32,
  epsilon: f32,
  centered: bool,
): void {
  const step = f32x4.splat(rate);
  const mu = f32x4.splat(momentum);
  const e = f32x4.splat(epsilon);
  for (let offset = from; offset < to; offset += 16) {
    const g = gradientAt(table, count, offset);
    let below = averageOfSquares(slots + offset, rho, g, epsilon);
    if (centered) {
      const mean = average(slots + 2 * slotStride + offset, rho, g);
      below = f32x4.sub(below, f32x4.mul(mean, mean));
    }
    const velocity = slots + slotStride + offset;
    const own = f32x4.div(f32x4.mul(step, g), f32x4.sqrt(f32x4.add(below, e)));
    const v = unlessTiny(f32x4.add(f32x4.mul(mu, v128.load(velocity)), own));
    v128.store(velocity, v);
    change(weights + offset, results + offset, f32x4.neg(v));
  }
}
