/**
 * Tensors [batch, height, width, channels] kept as one part per residue of a stride. Gradients of pooling and of strided
 * convolutions come in such parts, and what consumes them (a convolution's gradient, a sum) takes parts as readily:
 * writing the whole tensor out is often never needed.
 */
import { concat, pad, reshape, slice } from './layout.js';
import { dim, isOne, sameShape } from './shapes.js';
import type { Value } from './value.js';
import { type Pair, residues } from './window.js';

export interface InterleaveMarks {
  /** The parts are zero wherever this Relu is: multiplying by its gradient mask changes nothing. */
  gate?: Value | undefined;
  /** The sum of all parts, where it is known. */
  total?: Value | undefined;
}

/**
 * The tensor whose elements (i + stride * u, j + stride * v) are part[i, j] at (u, v), cut or filled with zeros to
 * `size`. Symbolic until the graph is lowered.
 */
export function interleave(parts: readonly Value[], stride: Pair, size: Pair, marks: InterleaveMarks = {}): Value {
  const first = parts[0] as Value;
  const [batch, height, width, channels] = first.shape as [number, number, number, number];
  const shape = [batch, ...size, channels];
  if (parts.length === 1) return resizeTo(first, size);
  // `gate` and `total` ride along as inputs; lowering drops them.
  const inputs = [...parts, ...(marks.total ? [marks.total] : []), ...(marks.gate ? [marks.gate] : [])];
  const attrs = { stride, parts: [height, width], total: Number(!!marks.total), gate: Number(!!marks.gate) };
  return first.graph.node('Interleave', inputs, attrs, { shape, dtype: first.dtype });
}

/** The parts and marks of an interleaved value. */
export function asInterleaved(
  x: Value,
): { parts: Value[]; stride: Pair; size: Pair; marks: InterleaveMarks } | undefined {
  if (x.op !== 'Interleave') return undefined;
  const stride = x.attrs.stride as unknown as Pair;
  const count = stride[0] * stride[1];
  const total = x.attrs.total ? x.inputs[count] : undefined;
  const gate = x.attrs.gate ? x.inputs[x.inputs.length - 1] : undefined;
  const size: Pair = [dim(x.shape, 1), dim(x.shape, 2)];
  return { parts: x.inputs.slice(0, count), stride, size, marks: { total, gate } };
}

/**
 * An interleaved value as rest * factor, if all its parts are products with the same factor: a number for each channel, or a single
 * one. Values that differ by the factor alone share the rest, which is then written out once.
 */
export function asScaled(x: Value): { rest: Value; factor: Value } | undefined {
  const interleaved = asInterleaved(x);
  const [first] = interleaved?.parts ?? [];
  if (!interleaved || first?.op !== 'Mul') return undefined;
  const { parts, stride, size, marks } = interleaved;
  const factor = first.inputs.find((input) => isOne(input.shape.slice(0, -1)));
  if (!factor) return undefined;
  const others = parts.map((part) => otherFactor(part, factor));
  const total = marks.total && otherFactor(marks.total, factor);
  if (others.includes(undefined) || (marks.total && !total)) return undefined;
  return { rest: interleave(others as Value[], stride, size, { gate: marks.gate, total }), factor };
}

/** The y of x = y * factor with the shape of x. */
function otherFactor({ op, inputs, shape }: Value, factor: Value): Value | undefined {
  const other = op === 'Mul' && inputs.includes(factor) ? inputs.find((input) => input !== factor) : undefined;
  return other && sameShape(other.shape, shape) ? other : undefined;
}

/** Writes an interleaved value out, by joining columns, then rows. */
export function materialize(x: Value): Value {
  const interleaved = asInterleaved(x);
  if (!interleaved) return x;
  const scaled = asScaled(x);
  if (scaled) {
    const { rest, factor } = scaled;
    return x.graph.node('Mul', [materialize(rest), factor], {}, { shape: x.shape, dtype: x.dtype });
  }
  const { parts, stride, size } = interleaved;
  const [batch, height, width, channels] = (parts[0] as Value).shape as [number, number, number, number];
  const rows = Array.from({ length: stride[0] }, (_, i) => {
    const columns = parts.slice(i * stride[1], (i + 1) * stride[1]);
    const joined = concat(
      columns.map((part) => reshape(part, [batch * height, width, 1, channels])),
      2,
    );
    return reshape(joined, [batch * height, 1, width * stride[1] * channels]);
  });
  const whole = reshape(concat(rows, 1), [batch, height * stride[0], width * stride[1], channels]);
  return resizeTo(whole, size);
}

/** Cuts or fills with zeros at the end of both spatial axes. */
function resizeTo(x: Value, [height, width]: Pair): Value {
  const [batch, h, w, channels] = x.shape as [number, number, number, number];
  const cut = slice(x, [0, 0, 0, 0], [batch, Math.min(h, height), Math.min(w, width), channels]);
  return pad(cut, [0, 0, 0, 0], [0, Math.max(0, height - h), Math.max(0, width - w), 0]);
}

/** Tensors of shape [batch, rows, columns, channels] to be added into a larger one at `start`, `stride` apart. */
export interface Piece {
  value: Value;
  start: Pair;
}

/**
 * The sum of pieces spread over zeros of shape [batch, height, width, channels]: the transpose of taking taps. The
 * result is kept as one part for each residue of the stride (see interleave), so that nothing is interleaved when the
 * next operation takes it apart again.
 */
export function scatterAdd(pieces: readonly Piece[], stride: Pair, size: Pair, marks: InterleaveMarks = {}): Value {
  const first = pieces[0]?.value as Value;
  const [batch, rows, columns, channels] = first.shape as [number, number, number, number];
  const shift = (piece: Piece, axis: 0 | 1): number => Math.floor(piece.start[axis] / stride[axis]);
  const height = Math.max(...pieces.map((piece) => shift(piece, 0))) + rows;
  const width = Math.max(...pieces.map((piece) => shift(piece, 1))) + columns;
  const parts = residues(stride).map(([i, j]) => {
    const here = pieces.filter(({ start }) => start[0] % stride[0] === i && start[1] % stride[1] === j);
    const byShift = groupBy(here, (piece) => `${shift(piece, 0)},${shift(piece, 1)}`);
    const placed = byShift.map((group) => {
      const [top, left] = [shift(group[0] as Piece, 0), shift(group[0] as Piece, 1)];
      const sum = sumAll(group.map((piece) => piece.value));
      return pad(sum, [0, top, left, 0], [0, height - top - rows, width - left - columns, 0]);
    });
    return placed.length > 0 ? sumAll(placed) : first.graph.splat(0, [batch, height, width, channels], first.dtype);
  });
  return interleave(parts, stride, size, marks);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

/** The sum of tensors of one shape. */
export function sumAll(values: readonly Value[]): Value {
  const first = values[0] as Value;
  if (values.length === 1) return first;
  return first.graph.node('Sum', values, {}, { shape: first.shape, dtype: first.dtype });
}
