/** An array that was read from a file: finite numbers, the last axis running fastest. */
export interface ArrayData {
  /** How it is called in messages: its path, for an .npz with the name of the array. */
  source: string;
  /** Sizes of the axes, rows first. */
  shape: number[];
  /** As 32-bit floats where those hold every value of the file's type. */
  values: Float32Array | Float64Array;
  /** Whether the file's type is one of whole numbers or booleans. */
  integer: boolean;
  /** Whether these are pixels of images, 0 to 255. */
  pixels: boolean;
}

/** Place of a value as Python writes it: `[3, 5]`. */
export function placeOf(index: number, shape: number[]): string {
  const place: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${place.join(', ')}]`;
}
