/**
 * Activations and their gradients, [rows, units], that are computed as [units, rows], where the matrix products beside them are faster so.
 *
 * ONNX Runtime reads the left side of a product where it stands and copies the right side into panels first (MLAS, `MlasSgemmOperation`). With few rows a
 * layer's weights are the larger side: y^T = W^T x^T and dx^T = W dy^T have them on the left. All that lies between products, element by element, is
 * turned at once, so that no transpose is left.
 */
import { ELEMENTWISE } from '../partition/rules/elementwise.js';
import { untranspose } from './elementwise.js';
import { transpose } from './layout.js';
import { dim, sameShape, sizeOf } from './shapes.js';
import { isScalarLike, topologicalOrder, usersOf, type Value } from './value.js';

/**
 * Nanoseconds for an element of each side of a product, beside its arithmetic, by whether the side is transposed. Only their ratios matter, and were
 * measured on a Zen 4 with 64 to 256 rows, 512 and 784 inputs and 128 to 512 units.
 */
const LEFT = { asItIs: 0.17, transposed: 1.3 };
const RIGHT = { asItIs: 1, transposed: 0.65 };
/** For an element of a transpose of its own. */
const TRANSPOSE = 1;
/** For an inner product's element, where all lanes have something to do. */
const PER_PRODUCT = 0.02;
/** Columns that are computed at the same time. */
const LANES = 16;
/** What saves less is left as it is. */
const LEAST_GAIN = { nanoseconds: 10_000, share: 0.05 };

const SWAP = [1, 0];
const IS_ELEMENTWISE = new Set(ELEMENTWISE);

/** Turns groups of values of which it is expected to save time. */
export function turnActivations(outputs: readonly Value[]): Value[] {
  const graph = new Activations(outputs);
  const turned = new Set<Value>();
  for (const group of graph.groups()) {
    const others = new Set(turned);
    for (const value of group) turned.add(value);
    const [before, after] = [graph.cost(group, others), graph.cost(group, turned)];
    const gain = before - after;
    if (gain >= LEAST_GAIN.nanoseconds && gain >= LEAST_GAIN.share * before) continue;
    for (const value of group) turned.delete(value);
  }
  return turned.size > 0 ? rebuildTurned(outputs, turned) : [...outputs];
}

class Activations {
  readonly #order: Value[];
  readonly #users: Map<Value, Value[]>;

  constructor(readonly outputs: readonly Value[]) {
    this.#order = topologicalOrder(outputs);
    this.#users = usersOf(this.#order);
  }

  /** Products, and what is computed of them element by element: values of one shape that are turned together. */
  groups(): Set<Value>[] {
    const groupOf = new Map<Value, Set<Value>>();
    for (const value of this.#order) {
      if (!isTurnable(value)) continue;
      let group = new Set([value]);
      for (const input of IS_ELEMENTWISE.has(value.op) ? value.inputs : []) {
        const other = sameShape(input.shape, value.shape) ? groupOf.get(input) : undefined;
        if (!other || other === group) continue;
        const [small, large] = other.size < group.size ? [other, group] : [group, other];
        for (const member of small) large.add(member);
        for (const member of small) groupOf.set(member, large);
        group = large;
      }
      groupOf.set(value, group);
    }
    return [...new Set(groupOf.values())].filter((group) => {
      const products = [...group].filter(({ op }) => op === 'Gemm');
      return products.length > 0 && products.every(isOfWeights);
    });
  }

  /** Nanoseconds for what depends on whether the group is turned, if those in `turned` are. */
  cost(group: ReadonlySet<Value>, turned: ReadonlySet<Value>): number {
    const products = new Set<Value>();
    const moved = new Set<Value>();
    for (const value of group) {
      if (value.op === 'Gemm') products.add(value);
      for (const input of value.op === 'Gemm' ? [] : value.inputs) {
        const isIn = sameShape(input.shape, value.shape) && !group.has(input) && input.op !== 'Transpose';
        if (isIn && !isScalarLike(input)) moved.add(input);
      }
      const users = this.#users.get(value) as Value[];
      for (const user of users) if (user.op === 'Gemm') products.add(user);
      if (this.outputs.includes(value) || users.some((user) => !group.has(user) && !takesTurned(user, value)))
        moved.add(value);
    }
    const isTurned = turned.has([...group][0] as Value);
    const transposes = isTurned ? [...moved].reduce((sum, { shape }) => sum + sizeOf(shape), 0) : 0;
    return [...products].reduce((sum, product) => sum + timeOf(product, turned), transposes * TRANSPOSE);
  }
}

function isTurnable({ op, shape, inputs }: Value): boolean {
  if (shape.length !== 2 || shape.includes(1)) return false;
  return op === 'Gemm' ? inputs.length === 2 : IS_ELEMENTWISE.has(op);
}

/** Whether it is made of a layer's matrix, as activations and their gradients are. */
function isOfWeights({ inputs }: Value): boolean {
  return inputs.some(({ op }) => op === 'Input');
}

/** Whether a use of a value is as good of its transpose. */
function takesTurned({ op, inputs, attrs }: Value, value: Value): boolean {
  if (op === 'Gemm') return inputs[2] !== value;
  return op === 'ReduceSum' && (attrs.axes as number[]).length === 1;
}

/** A product as it is where those in `turned` are. */
interface Product {
  a: Value;
  b: Value;
  transA: boolean;
  transB: boolean;
}

function productOf(product: Value, turned: ReadonlySet<Value>): Product {
  const [a, b] = product.inputs as [Value, Value];
  const transA = Boolean(product.attrs.transA) !== turned.has(a);
  const transB = Boolean(product.attrs.transB) !== turned.has(b);
  return turned.has(product) ? { a: b, b: a, transA: !transB, transB: !transA } : { a, b, transA, transB };
}

function timeOf(product: Value, turned: ReadonlySet<Value>): number {
  const { a, b, transA, transB } = productOf(product, turned);
  const columns = dim(product.shape, turned.has(product) ? 0 : 1);
  const left = sizeOf(a.shape) * (transA ? LEFT.transposed : LEFT.asItIs);
  const right = sizeOf(b.shape) * (transB ? RIGHT.transposed : RIGHT.asItIs);
  return left + right + sizeOf(a.shape) * Math.ceil(columns / LANES) * LANES * PER_PRODUCT;
}

/** The graph with these values turned, and their users told so. */
function rebuildTurned(outputs: readonly Value[], turned: ReadonlySet<Value>): Value[] {
  /** What is turned is so in here, all else as it was. */
  const done = new Map<Value, Value>();
  const at = (value: Value): Value => done.get(value) as Value;
  const asItWas = (value: Value): Value => (turned.has(value) ? transpose(at(value), SWAP) : at(value));
  const remade = (value: Value): Value => {
    const { graph, op, inputs, attrs, dtype } = value;
    const isTurned = turned.has(value);
    const shape = isTurned ? value.shape.toReversed() : value.shape;
    if (op === 'Gemm') {
      const { a, b, transA, transB } = productOf(value, turned);
      const flags = { transA: Number(transA), transB: Number(transB) };
      return graph.node(op, [at(a), at(b), ...inputs.slice(2).map(asItWas)], flags, { shape, dtype });
    }
    const [x] = inputs;
    if (op === 'ReduceSum' && x && turned.has(x) && takesTurned(value, x)) {
      const axes = [1 - (attrs.axes as [number])[0]];
      return graph.node(op, [at(x)], { ...attrs, axes }, { shape, dtype });
    }
    const operands = inputs.map((input) => {
      if (!isTurned) return asItWas(input);
      return turned.has(input) ? at(input) : untranspose(at(input), SWAP);
    });
    const isSame = !isTurned && operands.every((operand, i) => operand === inputs[i]);
    return isSame ? value : graph.node(op, operands, attrs, { shape, dtype });
  };
  for (const value of topologicalOrder(outputs)) done.set(value, remade(value));
  return outputs.map(asItWas);
}
