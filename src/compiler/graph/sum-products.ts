/**
 * Sums of products as products of sums' parts: what every time step adds to the gradient of a weight,
 * a1' b1 + a2' b2 + ..., is one product of the rows of all a and all b.
 */
import { gemm } from './linear.js';
import { countUses, rebuild } from './rebuild.js';
import { reduce } from './reduction.js';
import { joinRows, pickIndices } from './rows.js';
import { dim, sameShape } from './shapes.js';
import { topologicalOrder, type Value } from './value.js';

const FEWEST = 3;

export function sumProducts(outputs: readonly Value[]): Value[] {
  const uses = countUses(outputs);
  const inner = innerSums(outputs, uses);
  const roots = topologicalOrder(outputs).filter((value) => value.op === 'Add' && !inner.has(value));
  const orders = roots.flatMap((root) => rowOrder(addendsOf(root, inner).filter((a) => isProduct(a, uses))));
  return rebuild(outputs, new Map(), (value, original) => {
    if (original.op !== 'Add' || inner.has(original)) return value;
    return summed(value, original, inner, uses, orders) ?? value;
  });
}

/** Sums that are only a part of another one. */
function innerSums(outputs: readonly Value[], uses: ReadonlyMap<Value, number>): Set<Value> {
  const inner = new Set<Value>();
  for (const value of topologicalOrder(outputs)) {
    if (value.op !== 'Add') continue;
    for (const input of value.inputs) {
      if (input.op === 'Add' && uses.get(input) === 1 && sameShape(input.shape, value.shape)) inner.add(input);
    }
  }
  return inner;
}

/** What a sum and the sums within it add up, from the left. Iterative: there is one sum within the other per time step. */
function addendsOf(root: Value, inner: ReadonlySet<Value>): Value[] {
  const addends: Value[] = [];
  const stack = [...root.inputs].reverse();
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (inner.has(value)) stack.push(...[...value.inputs].reverse());
    else addends.push(value);
  }
  return addends;
}

/** Numbers that are copied in less time than it takes to run one more node. */
const FEW_NUMBERS = 1 << 13;

/** a' b, used once, small enough that copying its rows costs less than adding it up. */
function isProduct(value: Value, uses: ReadonlyMap<Value, number>): boolean {
  const { op, inputs, attrs, shape } = value;
  const isPlain = op === 'Gemm' && inputs.length === 2 && attrs.transA === 1 && attrs.transB !== 1;
  if (!isPlain || uses.get(value) !== 1) return false;
  const [m, n] = shape as [number, number];
  return dim((inputs[0] as Value).shape, 0) * (m + n) <= Math.max(2 * m * n, FEW_NUMBERS);
}

/** The sum of the rows of a matrix. */
function isRowSum({ op, inputs, attrs }: Value): boolean {
  return op === 'ReduceSum' && (inputs[0] as Value).shape.length === 2 && sameShape(attrs.axes as number[], [0]);
}

/** The right factors of products whose left ones are elements of one tensor, in the order of that tensor. */
function rowOrder(products: readonly Value[]): Value[][] {
  const indices = products.length >= FEWEST ? pickIndices(products.map((p) => p.inputs[0] as Value)) : undefined;
  if (!indices) return [];
  const order = [...products.keys()].sort((a, b) => (indices[a] as number) - (indices[b] as number));
  return [order.map((i) => (products[i] as Value).inputs[1] as Value)];
}

/** One sum with its products and row sums gathered; undefined if there are too few. */
function summed(
  value: Value,
  original: Value,
  inner: ReadonlySet<Value>,
  uses: ReadonlyMap<Value, number>,
  orders: readonly Value[][],
): Value | undefined {
  const originals = addendsOf(original, inner);
  const rebuilt = rebuiltAddends(value, original, inner);
  const pairs = originals.map((addend, i) => ({ addend, rebuilt: rebuilt[i] as Value }));
  const products = pairs.filter(({ addend }) => isProduct(addend, uses));
  const rowSums = pairs.filter(({ addend }) => uses.get(addend) === 1 && isRowSum(addend));
  const taken = new Set([products, rowSums].filter((list) => list.length >= FEWEST).flat());
  if (taken.size === 0) return undefined;
  const sums = pairs.filter((pair) => !taken.has(pair)).map((pair) => pair.rebuilt);
  if (products.length >= FEWEST) sums.push(gatheredProduct(products, orders));
  if (rowSums.length >= FEWEST) sums.push(gatheredRowSum(rowSums, orders));
  return sums.reduce((a, b) => a.graph.node('Add', [a, b], {}, { shape: value.shape, dtype: value.dtype }));
}

/** The addends of the rebuilt sum: it has the same form as the original. */
function rebuiltAddends(value: Value, original: Value, inner: ReadonlySet<Value>): Value[] {
  const addends: Value[] = [];
  const stack = original.inputs.map((input, i) => [input, value.inputs[i] as Value] as const).reverse();
  for (let pair = stack.pop(); pair; pair = stack.pop()) {
    const [from, to] = pair;
    if (!inner.has(from)) addends.push(to);
    else stack.push(...from.inputs.map((input, i) => [input, to.inputs[i] as Value] as const).reverse());
  }
  return addends;
}

interface Addend {
  addend: Value;
  rebuilt: Value;
}

function gatheredProduct(products: readonly Addend[], orders: readonly Value[][]): Value {
  const rightOf = ({ addend }: Addend): Value => addend.inputs[1] as Value;
  const sorted = inOrder(products, rightOf, orders);
  const [lefts, rights] = [0, 1].map((k) => sorted.map(({ rebuilt }) => rebuilt.inputs[k] as Value)) as [
    Value[],
    Value[],
  ];
  return gemm(joinRows(lefts), joinRows(rights), true, false);
}

function gatheredRowSum(rowSums: readonly Addend[], orders: readonly Value[][]): Value {
  const sorted = inOrder(rowSums, ({ addend }) => addend.inputs[0] as Value, orders);
  return reduce('ReduceSum', joinRows(sorted.map(({ rebuilt }) => rebuilt.inputs[0] as Value)), 0);
}

/** In the order that other sums have the same matrices in, so that all of them gather the rows once. */
function inOrder(
  addends: readonly Addend[],
  matrixOf: (addend: Addend) => Value,
  orders: readonly Value[][],
): Addend[] {
  const order = orders.find((list) => addends.every((addend) => list.includes(matrixOf(addend))));
  const rank = new Map(order?.map((matrix, i) => [matrix, i]));
  const of = (addend: Addend): number => rank.get(matrixOf(addend)) ?? -matrixOf(addend).id;
  return [...addends].sort((a, b) => of(a) - of(b));
}
