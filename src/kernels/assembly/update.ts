/**
 * Reduce and optimizer step in one pass over a slice of the parameters.
 *
 * Every pointer is a byte address in the arena. `from` and `to` are byte offsets of the slice inside a slot, multiples of
 * 64 bytes (one cache line, 16 floats), so that two workers never write to the same line and no tail is left over.
 * Slot s of the gradients starts at `gradients + s * stride`; slots are added in shard order, so the sum does not depend on
 * who adds. There is no fused multiply-add in WebAssembly SIMD: the results are the same bits on every machine.
 */

/** Sum over the gradient slots of the four floats at `offset`. */
@inline
function sumOfSlots(gradients: usize, stride: usize, slots: i32, offset: usize): v128 {
  let pointer = gradients + offset;
  let sum = v128.load(pointer);
  for (let s = 1; s < slots; s++) {
    pointer += stride;
    sum = f32x4.add(sum, v128.load(pointer));
  }
  return sum;
}

/** weights = sum of slots. For values that are replaced, not descended: batch norm's moving averages. */
export function reduceAssign(weights: usize, gradients: usize, stride: usize, slots: i32, from: usize, to: usize): void {
  for (let offset = from; offset < to; offset += 16) {
    v128.store(weights + offset, sumOfSlots(gradients, stride, slots, offset));
  }
}

/** weights += step * g, with step = -learningRate. */
export function reduceSgd(
  weights: usize,
  gradients: usize,
  stride: usize,
  slots: i32,
  from: usize,
  to: usize,
  step: f32,
): void {
  const steps = f32x4.splat(step);
  for (let offset = from; offset < to; offset += 16) {
    const g = sumOfSlots(gradients, stride, slots, offset);
    const w = v128.load(weights + offset);
    v128.store(weights + offset, f32x4.add(w, f32x4.mul(steps, g)));
  }
}

/**
 * velocity = momentum * velocity + gradientScale * g
 * weights += velocityScale * (nesterov ? momentum * velocity + gradientScale * g : velocity)
 *
 * Keras: gradientScale = -learningRate, velocityScale = 1. tfjs: gradientScale = 1, velocityScale = -learningRate.
 */
export function reduceSgdMomentum(
  weights: usize,
  velocity: usize,
  gradients: usize,
  stride: usize,
  slots: i32,
  from: usize,
  to: usize,
  gradientScale: f32,
  velocityScale: f32,
  momentum: f32,
  nesterov: bool,
): void {
  const a = f32x4.splat(gradientScale);
  const b = f32x4.splat(velocityScale);
  const m = f32x4.splat(momentum);
  for (let offset = from; offset < to; offset += 16) {
    const g = f32x4.mul(a, sumOfSlots(gradients, stride, slots, offset));
    const v = f32x4.add(f32x4.mul(m, v128.load(velocity + offset)), g);
    v128.store(velocity + offset, v);
    const change = nesterov ? f32x4.add(f32x4.mul(m, v), g) : v;
    const w = v128.load(weights + offset);
    v128.store(weights + offset, f32x4.add(w, f32x4.mul(b, change)));
  }
}
