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

/** Numbers of four blocks. */
const FOUR_BLOCKS: usize = 64;

/** Four blocks that follow one another, as numbers in [0, 1), to `target`: a block for each lane, in half the time that they take one by one. */
@inline
function storeFourBlocks(target: usize, block: u32, row: u32, stream: u32, step: u32, key0: u32, key1: u32): void {
  const m0 = i32x4.splat(<i32>MULTIPLIER_0);
  const m1 = i32x4.splat(<i32>MULTIPLIER_1);
  let a = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  let b = i32x4.splat(row);
  let c = i32x4.splat(stream);
  let d = i32x4.splat(step);
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  for (let round = 0; round < ROUNDS; round++) {
    const p0 = i64x2.extmul_low_i32x4_u(a, m0);
    const q0 = i64x2.extmul_high_i32x4_u(a, m0);
    const p1 = i64x2.extmul_low_i32x4_u(c, m1);
    const q1 = i64x2.extmul_high_i32x4_u(c, m1);
    a = v128.xor(v128.xor(highHalves(p1, q1), b), k0);
    b = lowHalves(p1, q1);
    c = v128.xor(v128.xor(highHalves(p0, q0), d), k1);
    d = lowHalves(p0, q0);
    k0 = i32x4.add(k0, i32x4.splat(WEYL_0));
    k1 = i32x4.add(k1, i32x4.splat(WEYL_1));
  }
  // From a number of each block to the numbers of a block.
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(target, units(v128.shuffle<i64>(ab0, cd0, 0, 2)));
  v128.store(target, units(v128.shuffle<i64>(ab0, cd0, 1, 3)), 16);
  v128.store(target, units(v128.shuffle<i64>(ab1, cd1, 0, 2)), 32);
  v128.store(target, units(v128.shuffle<i64>(ab1, cd1, 1, 3)), 48);
}

/** Of four products of 64 bits. */
@inline
function lowHalves(first: v128, last: v128): v128 {
  return v128.shuffle<i32>(first, last, 0, 2, 4, 6);
}

@inline
function highHalves(first: v128, last: v128): v128 {
  return v128.shuffle<i32>(first, last, 1, 3, 5, 7);
}

@inline
function units(bits: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(bits, 8)), f32x4.splat(UNIT));
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
    for (; pointer + FOUR_BLOCKS <= end; pointer += FOUR_BLOCKS, block += 4) {
      storeFourBlocks(pointer, block, firstRow + row, stream, step, key0, key1);
    }
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
