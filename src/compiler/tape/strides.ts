/** Tensors of any number of axes as tensors of few. */
import { sizeOf } from '../graph/shapes.js';

/** Bytes from one element to the next along each axis, of a tensor that lies in one piece. */
export function stridesOf(shape: readonly number[]): number[] {
  let stride = 4;
  return shape
    .toReversed()
    .map((size) => {
      const own = stride;
      stride *= size;
      return own;
    })
    .reverse();
}

/** Strides with which a tensor is read as one of `target`: 0 along axes that repeat it, as in NumPy. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => {
    const at = axis - missing;
    return at < 0 || shape[at] === 1 ? 0 : (own[at] as number);
  });
}

/**
 * Merges axes that all of the tensors step through in one go.
 *
 * @param count how many axes there are to be in the end
 * @returns sizes, and strides of each tensor, with `count` axes; undefined if they are more
 */
export function mergeAxes(
  shape: readonly number[],
  strides: readonly number[][],
  count: number,
): { sizes: number[]; strides: number[][] } | undefined {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 1) continue;
    const inner = sizes[0];
    const fits = inner !== undefined && strides.every((own, i) => own[axis] === (merged[i]?.[0] as number) * inner);
    if (fits) {
      sizes[0] = inner * size;
      continue;
    }
    sizes.unshift(size);
    merged.forEach((own, i) => {
      own.unshift(strides[i]?.[axis] as number);
    });
  }
  if (sizes.length > count) return undefined;
  while (sizes.length < count) {
    sizes.unshift(1);
    for (const own of merged) own.unshift(0);
  }
  return { sizes, strides: merged };
}

/** A reduction over neighbouring axes as one over the middle of three; undefined if they are no neighbours. */
export function middleAxis(shape: readonly number[], axes: readonly number[]): [number, number, number] | undefined {
  const sorted = axes.map((axis) => (axis < 0 ? axis + shape.length : axis)).sort((a, b) => a - b);
  // Axes of size 1 are between all others.
  const real = sorted.filter((axis) => shape[axis] !== 1);
  const [first = 0] = real;
  const last = real.at(-1) ?? -1;
  const between = shape.slice(first, last + 1).filter((size, i) => size !== 1 && !real.includes(first + i));
  if (between.length > 0) return undefined;
  return [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first, last + 1)), sizeOf(shape.slice(last + 1))];
}
