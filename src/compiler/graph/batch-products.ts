/**
 * One product for many: matrices that are multiplied with the same one, as the inputs of all time steps of a recurrent
 * layer are, become the rows of a single product.
 */
import { gemm, gemmPlus } from './linear.js';
import { rebuild } from './rebuild.js';
import { joinRows, pickIndices, split } from './rows.js';
import { dim, sameShape } from './shapes.js';
import { topologicalOrder, usersOf, type Value } from './value.js';

const FEWEST = 4;

/** Multiplications in a product from which on it is no use to be one of many. */
const LARGE = 4e6;

/** A bias that is the same for all products of a group is added to the whole. */
interface Group {
  products: Value[];
  /** What takes the place of each: the product, or its sum with the bias. */
  results: Value[];
  bias?: Value;
}

export function batchProducts(outputs: readonly Value[]): Value[] {
  let current = [...outputs];
  // A group's rows may come out of another group, so that the graph is made anew for each.
  for (let group = findGroup(current); group; group = findGroup(current)) {
    current = rebuild(current, batched(group), (value) => value);
  }
  return current;
}

function batched({ products, results, bias }: Group): Map<Value, Value> {
  const indices = pickIndices(products.map((product) => product.inputs[0] as Value));
  const order = [...products.keys()];
  if (indices) order.sort((a, b) => (indices[a] as number) - (indices[b] as number));
  const first = products[0] as Value;
  const rows = joinRows(order.map((i) => (products[i] as Value).inputs[0] as Value));
  const product = gemm(rows, first.inputs[1] as Value, false, first.attrs.transB === 1);
  const whole = bias ? gemmPlus(product, bias) : product;
  const parts = split(
    whole,
    0,
    order.map(() => dim(first.shape, 0)),
  );
  return new Map(order.map((i, k) => [results[i] as Value, parts[k] as Value]));
}

function findGroup(outputs: readonly Value[]): Group | undefined {
  const order = topologicalOrder(outputs);
  const byFactor = new Map<string, Value[]>();
  for (const value of order) {
    if (!isSmallProduct(value)) continue;
    const key = `${(value.inputs[1] as Value).id}|${value.attrs.transB}|${value.shape}`;
    byFactor.set(key, [...(byFactor.get(key) ?? []), value]);
  }
  for (const products of byFactor.values()) {
    if (products.length >= FEWEST && areIndependent(products, order)) return withBias(products, order, outputs);
  }
  return undefined;
}

function isSmallProduct({ op, inputs, attrs, shape }: Value): boolean {
  if (op !== 'Gemm' || inputs.length !== 2 || attrs.transA === 1) return false;
  return dim(shape, 0) * dim(shape, 1) * dim((inputs[0] as Value).shape, 1) < LARGE;
}

/** Whether none of the products needs another: those of a recurrent state do. */
function areIndependent(products: readonly Value[], order: readonly Value[]): boolean {
  const members = new Set(products);
  const depending = new Set<Value>();
  for (const value of order) {
    const depends = value.inputs.some((input) => members.has(input) || depending.has(input));
    if (depends && members.has(value)) return false;
    if (depends) depending.add(value);
  }
  return true;
}

/** The group with the bias that each product is only used to add, if there is such a one. */
function withBias(products: Value[], order: readonly Value[], outputs: readonly Value[]): Group {
  const users = usersOf(order);
  const sums = products.map((product) => (users.get(product)?.length === 1 ? users.get(product)?.[0] : undefined));
  const biases = sums.map((sum, i) => sum && biasOf(sum, products[i] as Value));
  const bias = biases[0];
  const isShared = bias && biases.every((other) => other === bias) && !products.some((p) => outputs.includes(p));
  return isShared ? { products, results: sums as Value[], bias } : { products, results: products };
}

function biasOf(sum: Value, product: Value): Value | undefined {
  if (sum.op !== 'Add' || !sameShape(sum.shape, product.shape)) return undefined;
  const other = sum.inputs.find((input) => input !== product);
  return other?.shape.length === 1 && other.shape[0] === dim(product.shape, 1) ? other : undefined;
}
