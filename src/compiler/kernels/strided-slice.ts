/** tfjs' strided slice with its masks. */
import { reshape, slice } from '../graph/layout.js';
import type { Value } from '../graph/value.js';

export interface StridedSliceAttrs {
  begin: number[];
  end: number[];
  strides: number[];
  beginMask: number;
  endMask: number;
  ellipsisMask: number;
  newAxisMask: number;
  shrinkAxisMask: number;
}

/** tfjs' strided slice without ellipsis and new axes, which its layers do not use. */
export function stridedSlice(x: Value, attrs: StridedSliceAttrs): Value {
  if (attrs.ellipsisMask || attrs.newAxisMask)
    throw new RangeError('stridedSlice with an ellipsis or new axis is not supported');
  const begin: number[] = [];
  const size: number[] = [];
  const step: number[] = [];
  const kept: number[] = [];
  x.shape.forEach((n, i) => {
    const s = attrs.strides[i] ?? 1;
    const wrap = (v: number): number => (v < 0 ? v + n : v);
    const from =
      i >= attrs.begin.length || attrs.beginMask & (1 << i) ? (s > 0 ? 0 : n - 1) : wrap(attrs.begin[i] as number);
    const to = i >= attrs.end.length || attrs.endMask & (1 << i) ? (s > 0 ? n : -1) : wrap(attrs.end[i] as number);
    const shrink = (attrs.shrinkAxisMask & (1 << i)) !== 0;
    begin.push(from);
    step.push(s);
    size.push(shrink ? 1 : Math.max(0, Math.ceil((Math.min(to, n) - from) / s)));
    if (!shrink) kept.push(size[i] as number);
  });
  return reshape(slice(x, begin, size, step), kept);
}
