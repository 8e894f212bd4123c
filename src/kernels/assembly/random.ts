/**
 * Philox 4x32-10, a counter-based generator: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011). A block of four 32-bit numbers is a pure function of (counter, key), so any thread can draw any number
 * without having drawn those before it.
 */

const MULTIPLIER_0: u64 = 0xd2511f53;
const MULTIPLIER_1: u64 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;
const ROUNDS = 10;
/** 2^-24: a float32 holds 24 bits of a number in [0, 1) exactly. */
const UNIT: f32 = 5.9604644775390625e-8;

// One block, kept in globals: each thread has its own instance, and so its own globals.
let x0: u32 = 0;
let x1: u32 = 0;
let x2: u32 = 0;
let x3: u32 = 0;

@inline
function philox(c0: u32, c1: u32, c2: u32, c3: u32, key0: u32, key1: u32): void {
  let a = c0;
  let b = c1;
  let c = c2;
  let d = c3;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < ROUNDS; round++) {
    const p0 = MULTIPLIER_0 * <u64>a;
    const p1 = MULTIPLIER_1 * <u64>c;
    a = <u32>(p1 >> 32) ^ b ^ k0;
    b = <u32>p1;
    c = <u32>(p0 >> 32) ^ d ^ k1;
    d = <u32>p0;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  x0 = a;
  x1 = b;
  x2 = c;
  x3 = d;
}

/** Writes one block of four u32 to `target`: the generator itself, for tests against published vectors. */
export function philoxBlock(target: usize, c0: u32, c1: u32, c2: u32, c3: u32, key0: u32, key1: u32): void {
  philox(c0, c1, c2, c3, key0, key1);
  store<u32>(target, x0);
  store<u32>(target, x1, 4);
  store<u32>(target, x2, 8);
  store<u32>(target, x3, 12);
}

@inline
function unit(bits: u32): f32 {
  return <f32>(bits >> 8) * UNIT;
}

/**
 * Fills `rows * perRow` float32 in [0, 1). Row r of the shard is row `firstRow + r` of the mini-batch; its numbers depend
 * on (key, step, stream, row) alone, so they stay the same however the batch is cut into shards.
 */
export function fillUniform(
  target: usize,
  firstRow: u32,
  rows: u32,
  perRow: u32,
  step: u32,
  stream: u32,
  key0: u32,
  key1: u32,
): void {
  let pointer = target;
  for (let row: u32 = 0; row < rows; row++) {
    const end = pointer + (<usize>perRow << 2);
    let block: u32 = 0;
    while (pointer + 16 <= end) {
      philox(block++, firstRow + row, stream, step, key0, key1);
      store<f32>(pointer, unit(x0));
      store<f32>(pointer, unit(x1), 4);
      store<f32>(pointer, unit(x2), 8);
      store<f32>(pointer, unit(x3), 12);
      pointer += 16;
    }
    if (pointer < end) {
      philox(block, firstRow + row, stream, step, key0, key1);
      store<f32>(pointer, unit(x0));
      if (pointer + 4 < end) store<f32>(pointer, unit(x1), 4);
      if (pointer + 8 < end) store<f32>(pointer, unit(x2), 8);
      pointer = end;
    }
  }
}

/** Stream number of the shuffle; random inputs of programs count from 0 and never reach it. */
const SHUFFLE_STREAM: u32 = 0xffffffff;

/**
 * Writes a uniformly random permutation of 0..n-1 as i32: Fisher and Yates' shuffle as in Durstenfeld (1964), with the
 * unbiased bounded draw of Lemire, "Fast random integer generation in an interval" (2019).
 */
export function shuffle(target: usize, n: u32, epoch: u32, key0: u32, key1: u32): void {
  for (let i: u32 = 0; i < n; i++) store<u32>(target + (<usize>i << 2), i);
  for (let i: u32 = n - 1; i > 0 && i < n; i--) {
    const range = i + 1;
    let attempt: u32 = 0;
    philox(i, attempt, SHUFFLE_STREAM, epoch, key0, key1);
    let product = <u64>x0 * <u64>range;
    if (<u32>product < range) {
      const threshold: u32 = ((<u32>0) - range) % range;
      while (<u32>product < threshold) {
        philox(i, ++attempt, SHUFFLE_STREAM, epoch, key0, key1);
        product = <u64>x0 * <u64>range;
      }
    }
    const j = <u32>(product >> 32);
    const a = target + (<usize>i << 2);
    const b = target + (<usize>j << 2);
    const swapped = load<u32>(a);
    store<u32>(a, load<u32>(b));
    store<u32>(b, swapped);
  }
}
