/**
 * Pieces that all go through the same operation: the gates of a recurrent cell are cut from one product, and most of
 * them pass the same activation. It is applied to the whole before it is cut.
 */
import { isExchange } from './at-hand.js';
import { countUses, rebuild } from './rebuild.js';
import { split } from './rows.js';
import { isOne, sameShape, sizeOf } from './shapes.js';
import { topologicalOrder, type Value } from './value.js';

const ELEMENTWISE = new Set(['Mul', 'Add', 'Sub', 'Clip', 'Sigmoid', 'HardSigmoid', 'Tanh', 'Relu', 'Equal', 'Cast']);

/** A value that is, or could be, cut from a whole: `key` says from which. */
interface Cutting {
  key: string;
  /** The slice that it is cut like. */
  like: Value;
}

/** Applies operations before cuts where at least half of the whole is needed anyway. */
export function hoistAboveSlices(outputs: readonly Value[]): Value[] {
  const hoisted = chosen(outputs);
  return rebuild(outputs, new Map(), (value, original) => (hoisted.has(original) ? applyToWhole(value) : value));
}

/** The operations on pieces that are worth applying to the whole, in chains of any length. */
function chosen(outputs: readonly Value[]): Set<Value> {
  const cuttings = new Map<Value, Cutting>();
  const groups = new Map<string, Value[]>();
  const accepted = new Set<string>();
  for (const value of topologicalOrder(outputs)) {
    if (isCut(value)) cuttings.set(value, { key: `${(value.inputs[0] as Value).id}`, like: value });
    const cutting = ELEMENTWISE.has(value.op) ? cuttingOf(value, cuttings) : undefined;
    if (!cutting) continue;
    cuttings.set(value, cutting);
    groups.set(cutting.key, [...(groups.get(cutting.key) ?? []), value]);
  }
  const isAccepted = (input: Value): boolean => {
    const cutting = cuttings.get(input);
    return !cutting || isCut(input) || accepted.has(cutting.key);
  };
  // Groups come in the order of their first members, so that what an operation works on is decided before.
  for (const [key, group] of groups) {
    const whole = (cuttings.get(group[0] as Value) as Cutting).like.inputs[0] as Value;
    const needed = group.reduce((sum, value) => sum + sizeOf(value.shape), 0);
    const isWorthwhile = group.length > 1 && 2 * needed >= sizeOf(whole.shape);
    if (isWorthwhile && group.every((value) => value.inputs.every(isAccepted))) accepted.add(key);
  }
  return new Set([...accepted].flatMap((key) => groups.get(key) as Value[]));
}

/** Operations with the same key are one operation on different pieces of the same tensors. */
function cuttingOf(value: Value, cuttings: ReadonlyMap<Value, Cutting>): Cutting | undefined {
  const cut = value.inputs.map((input) => cuttings.get(input));
  const first = cut.find((cutting) => cutting);
  if (!first) return undefined;
  const fits = value.inputs.every((input, i) => (cut[i] ? isLike(cut[i].like, first.like) : isOne(input.shape)));
  if (!fits) return undefined;
  const operands = value.inputs.map((input, i) => (cut[i] ? `(${cut[i].key})` : `#${input.id}`));
  const attrs = Object.values(value.attrs);
  return { key: `${value.op} ${attrs} ${(first.like.attrs.axes as number[])[0]} ${operands}`, like: first.like };
}

/** What shards exchange is not meant: few numbers, of which loops read the pieces that they need. */
function isCut(x: Value): boolean {
  if (x.op !== 'Slice' || isExchange(x.inputs[0] as Value)) return false;
  return (x.attrs.axes as number[]).length === 1 && (x.attrs.steps as number[])[0] === 1;
}

/** Whether two slices have the same place in tensors of the same shape. */
function isLike(a: Value, b: Value): boolean {
  const sameNumber = (name: string): boolean => (a.attrs[name] as number[])[0] === (b.attrs[name] as number[])[0];
  const [wholeA, wholeB] = [a.inputs[0] as Value, b.inputs[0] as Value];
  return a === b || (['axes', 'starts', 'ends'].every(sameNumber) && sameShape(wholeA.shape, wholeB.shape));
}

function applyToWhole(value: Value): Value {
  const cut = value.inputs.find(isCut) as Value;
  const { shape } = cut.inputs[0] as Value;
  const inputs = value.inputs.map((input) => (isCut(input) ? (input.inputs[0] as Value) : input));
  const whole = value.graph.node(value.op, inputs, value.attrs, { shape, dtype: value.dtype });
  return value.graph.node('Slice', [whole], cut.attrs, { shape: value.shape, dtype: value.dtype });
}

/** Cuts a tensor in one go where several slices of it do not overlap. */
export function splitSlices(outputs: readonly Value[]): Value[] {
  const uses = countUses(outputs);
  const groups = new Map<string, Value[]>();
  for (const value of topologicalOrder(outputs)) {
    if (!isCut(value) || !uses.has(value)) continue;
    const key = `${(value.inputs[0] as Value).id}|${value.attrs.axes}`;
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  const places = new Map<Value, { sizes: number[]; at: number }>();
  for (const group of groups.values()) if (group.length > 1) place(group, places);
  return rebuild(outputs, new Map(), (value, original) => {
    const found = places.get(original);
    if (!found) return value;
    const axis = (value.attrs.axes as number[])[0] as number;
    return split(value.inputs[0] as Value, axis, found.sizes)[found.at] as Value;
  });
}

/** Notes which piece each slice of a tensor is; what lies between them is a piece that nobody uses. */
function place(group: Value[], places: Map<Value, { sizes: number[]; at: number }>): void {
  const axis = ((group[0] as Value).attrs.axes as number[])[0] as number;
  const startOf = (slice: Value): number => (slice.attrs.starts as number[])[0] as number;
  const sorted = [...group].sort((a, b) => startOf(a) - startOf(b));
  const sizes: number[] = [];
  const found: [Value, number][] = [];
  let end = 0;
  for (const slice of sorted) {
    if (startOf(slice) < end) return;
    if (startOf(slice) > end) sizes.push(startOf(slice) - end);
    found.push([slice, sizes.length]);
    sizes.push(slice.shape[axis] as number);
    end = startOf(slice) + (slice.shape[axis] as number);
  }
  const rest = ((group[0] as Value).inputs[0]?.shape[axis] as number) - end;
  if (rest > 0) sizes.push(rest);
  for (const [slice, at] of found) places.set(slice, { sizes, at });
}
