/** Arithmetic on shapes and permutations. */

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function isOne(shape: Shape): boolean {
  return shape.every((n) => n === 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Dimension `i`, with a clear error instead of undefined. */
export function dim(shape: Shape, i: number): number {
  const n = shape[i < 0 ? shape.length + i : i];
  if (n === undefined) throw new RangeError(`shape [${shape}] has no axis ${i}`);
  return n;
}

/** Shape of an elementwise operation on both, by the broadcasting rules that NumPy, tfjs and ONNX share. */
export function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new RangeError(`shapes [${a}] and [${b}] cannot be broadcast`);
    out.push(m === 1 ? n : m);
  }
  return out;
}

/** `shape` with leading ones up to `rank`. */
export function padRank(shape: Shape, rank: number): number[] {
  return [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape];
}

/** Axes as non-negative, ascending numbers; none given means all. */
export function normalizeAxes(axes: number | readonly number[] | null | undefined, rank: number): number[] {
  if (axes === null || axes === undefined) return [...Array(rank).keys()];
  const list = typeof axes === 'number' ? [axes] : axes;
  return [...new Set(list.map((axis) => (axis < 0 ? axis + rank : axis)))].sort((a, b) => a - b);
}

export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  return keepDims ? shape.map((n, i) => (axes.includes(i) ? 1 : n)) : shape.filter((_, i) => !axes.includes(i));
}

export function permute<T>(items: readonly T[], perm: readonly number[]): T[] {
  return perm.map((i) => items[i] as T);
}

export function invertPermutation(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length);
  perm.forEach((from, to) => {
    inverse[from] = to;
  });
  return inverse;
}

export function isIdentity(perm: readonly number[]): boolean {
  return perm.every((from, to) => from === to);
}

/** True if permuting `shape` moves no data because only axes of size 1 change places. */
export function isMoveFree(shape: Shape, perm: readonly number[]): boolean {
  const real = perm.filter((axis) => shape[axis] !== 1);
  return real.every((axis, i) => i === 0 || axis > (real[i - 1] as number));
}
