/**
 * Whether rows of an array can go into a model as they lie: the axes agree, but for those of size 1, or one of both is flat.
 *
 * @param input sizes of the axes of a row of the model's input; null for one that is left open
 */
export function fitsShape(row: number[], input: (number | null)[]): boolean {
  const axes = row.filter((size) => size !== 1);
  const wanted = input.filter((size) => size !== 1);
  if (axes.length < 2 || wanted.length < 2) return true;
  return axes.length === wanted.length && axes.every((size, axis) => wanted[axis] === null || wanted[axis] === size);
}
