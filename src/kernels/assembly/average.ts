import { unlessTiny } from './tiny';

/**
 * Averages replicas of the weights over a slice and gives the result to all of them.
 *
 * Replica s starts at `replicas + s * stride`, and `shares + 4 * s` holds its share of the rows trained since the last
 * time; the shares add up to 1. Replicas are added in order, so the result does not depend on who adds.
 */
export function averageReplicas(
  weights: usize,
  replicas: usize,
  stride: usize,
  count: i32,
  shares: usize,
  from: usize,
  to: usize,
): void {
  for (let offset = from; offset < to; offset += 16) {
    const average = averageAt(replicas + offset, stride, count, shares);
    v128.store(weights + offset, average);
    for (let s = 0; s < count; s++) v128.store(replicas + offset + <usize>s * stride, average);
  }
}

/**
 * The same with an outer step of Nesterov's momentum on the averaged change, as in DiLoCo (Douillard et al., 2023):
 *
 *     change    = weights - average
 *     velocity  = momentum * velocity + change
 *     weights  -= rate * (change + momentum * velocity)
 */
export function averageReplicasOuter(
  weights: usize,
  replicas: usize,
  stride: usize,
  count: i32,
  shares: usize,
  from: usize,
  to: usize,
  velocity: usize,
  momentum: f32,
  rate: f32,
): void {
  const m = f32x4.splat(momentum);
  const r = f32x4.splat(rate);
  for (let offset = from; offset < to; offset += 16) {
    const before = v128.load(weights + offset);
    const change = f32x4.sub(before, averageAt(replicas + offset, stride, count, shares));
    const v = unlessTiny(f32x4.add(f32x4.mul(m, v128.load(velocity + offset)), change));
    v128.store(velocity + offset, v);
    const after = f32x4.sub(before, f32x4.mul(r, f32x4.add(change, f32x4.mul(m, v))));
    v128.store(weights + offset, after);
    for (let s = 0; s < count; s++) v128.store(replicas + offset + <usize>s * stride, after);
  }
}

@inline
function averageAt(first: usize, stride: usize, count: i32, shares: usize): v128 {
  let sum = f32x4.mul(v128.load32_splat(shares), v128.load(first));
  for (let s = 1; s < count; s++) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(shares + (<usize>s << 2)), v128.load(first + <usize>s * stride)));
  }
  return sum;
}
