/**
 * Activations and their gradients, [rows, units], that are computed as [units, rows], where the matrix products beside them are faster so.
 *
 * ONNX Runtime reads the left side of a product where it stands and copies the right side into panels first (MLAS, `MlasSgemmOperation`), which for the few
 * rows of a shard can take as long as half of the product. A layer's weights are the larger side then: y^T = W^T x^T and dx^T = W dy^T have them on the left.
 * All that lies between products, element by element, is transposed at once, so that no transpose is left.
 */
import { untranspose } from './elementwise.js';
import { transpose } from './layout.js';
import { ELEMENTWISE } from './operators.js';
import { dim, sameShape, sizeOf } from './shapes.js';
import { isScalarLike, topologicalOrder, usersOf, type Value } from './value.js';

/**
 * Nanoseconds for an element of each side of a product, beside its arithmetic, by whether the side is transposed. Measured on a Zen 4 with 64 to 256
 * rows, 512 and 784 inputs and 128 to 512 units.
 */
const LEFT = { asItIs: 0.03, transposed: 0.21 };
const RIGHT = { asItIs: 0.2, transposed: 0.13 };
/** Columns for which a left side is transposed once: for the next ones it is again. */
const PANEL = 128;
/** For an element of a transpose of its own. */
const TRANSPOSE = 0.6;
/** For an element of the inner product, where all lanes have something to do. */
const PER_PRODUCT = 0.019;
/** Columns that are computed at the same time. */
const LANES = 16;
/** What saves less is left as it is. */
const LEAST_GAIN = { nanoseconds: 8000, share: 0.01 };

const SWAP = [1, 0];

/** Transposes groups of values where that is expected to save time. */
export function transposeActivations(outputs: readonly Value[]): Value[] {
  const activations = new Activations(outputs);
  const transposed = new Set<Value>();
  for (const group of activations.groups()) {
    const before = activations.cost(group, transposed);
    for (const value of group) transposed.add(value);
    const gain = before - activations.cost(group, transposed);
    if (gain >= LEAST_GAIN.nanoseconds && gain >= LEAST_GAIN.share * before) continue;
    for (const value of group) transposed.delete(value);
  }
  return transposed.size > 0 ? new Rewriting(transposed).rebuild(outputs) : [...outputs];
}

class Activations {
  readonly #outputs: ReadonlySet<Value>;
  readonly #order: Value[];
  readonly #users: Map<Value, Value[]>;

  constructor(outputs: readonly Value[]) {
    this.#outputs = new Set(outputs);
    this.#order = topologicalOrder(outputs);
    this.#users = usersOf(this.#order);
  }

  /** Products with layers' matrices, and what is computed of them element by element: values of one shape that are transposed together. */
  groups(): Set<Value>[] {
    const groupOf = new Map<Value, Set<Value>>();
    for (const value of this.#order) {
      if (!isMatrix(value)) continue;
      let group = new Set([value]);
      for (const input of ELEMENTWISE.has(value.op) ? value.inputs : []) {
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
      return products.length > 0 && products.every(isOfLayer);
    });
  }

  /** Nanoseconds for what depends on whether the group is transposed, if those in `transposed` are. */
  cost(group: ReadonlySet<Value>, transposed: ReadonlySet<Value>): number {
    const products = new Set<Value>();
    const moved = new Set<Value>();
    for (const value of group) {
      const users = this.#users.get(value) as Value[];
      for (const product of [value, ...users]) if (product.op === 'Gemm') products.add(product);
      for (const input of value.op === 'Gemm' ? [] : value.inputs) {
        const isSameSize = sameShape(input.shape, value.shape) && !isScalarLike(input);
        if (isSameSize && !group.has(input) && input.op !== 'Transpose') moved.add(input);
      }
      const isNeededAsItWas = users.some((user) => !group.has(user) && !takesTransposed(user, value));
      if (isNeededAsItWas || this.#outputs.has(value)) moved.add(value);
    }
    const isTransposed = transposed.has([...group][0] as Value);
    const elements = isTransposed ? [...moved].reduce((sum, { shape }) => sum + sizeOf(shape), 0) : 0;
    return [...products].reduce((sum, product) => sum + timeOf(product, transposed), elements * TRANSPOSE);
  }
}

function isMatrix({ op, shape, inputs }: Value): boolean {
  if (shape.length !== 2 || shape.includes(1)) return false;
  return op === 'Gemm' ? inputs.length === 2 : ELEMENTWISE.has(op);
}

/** Whether it is made of rows and a matrix, as activations and their gradients are; that of a matrix sums over the rows. */
function isOfLayer({ inputs, attrs }: Value): boolean {
  return !attrs.transA && inputs.some(({ op }) => op === 'Input');
}

/** Whether what uses the value can as well read its transpose. */
function takesTransposed({ op, inputs, attrs }: Value, value: Value): boolean {
  if (op === 'Gemm') return inputs[2] !== value;
  return op === 'Transpose' || (op === 'ReduceSum' && !attrs.keepdims);
}

/** A product, op(a) op(b), as it is once some values are transposed. */
interface Product {
  a: Value;
  b: Value;
  transA: boolean;
  transB: boolean;
}

function productOf(product: Value, transposed: ReadonlySet<Value>): Product {
  const [a, b] = product.inputs as [Value, Value];
  const transA = Boolean(product.attrs.transA) !== transposed.has(a);
  const transB = Boolean(product.attrs.transB) !== transposed.has(b);
  return transposed.has(product) ? { a: b, b: a, transA: !transB, transB: !transA } : { a, b, transA, transB };
}

function timeOf(product: Value, transposed: ReadonlySet<Value>): number {
  const { a, b, transA, transB } = productOf(product, transposed);
  const columns = dim(product.shape, transposed.has(product) ? 0 : 1);
  // For many columns it is transposed once before the product (see `gradient-products`).
  const transposing = Math.min(LEFT.transposed * Math.ceil(columns / PANEL), TRANSPOSE + LEFT.asItIs);
  const left = sizeOf(a.shape) * (transA ? transposing : LEFT.asItIs);
  const right = sizeOf(b.shape) * (transB ? RIGHT.transposed : RIGHT.asItIs);
  return left + right + sizeOf(a.shape) * Math.ceil(columns / LANES) * LANES * PER_PRODUCT;
}

/** Makes the graph again with some values transposed. */
class Rewriting {
  /** For those values their transposes, for all others what they are now. */
  readonly #done = new Map<Value, Value>();

  constructor(readonly transposed: ReadonlySet<Value>) {}

  rebuild(outputs: readonly Value[]): Value[] {
    for (const value of topologicalOrder(outputs)) this.#done.set(value, this.#rewrite(value));
    return outputs.map((value) => this.#asItWas(value));
  }

  #rewrite(value: Value): Value {
    const [x] = value.inputs;
    if (value.op === 'Gemm') return this.#product(value);
    if (this.transposed.has(value)) return this.#elementwise(value);
    if (x && this.transposed.has(x) && takesTransposed(value, x)) return this.#ofTranspose(value, x);
    const operands = value.inputs.map((input) => this.#asItWas(input));
    if (operands.every((operand, i) => operand === value.inputs[i])) return value;
    const { graph, op, attrs, shape, dtype } = value;
    return graph.node(op, operands, attrs, { shape, dtype });
  }

  #product(value: Value): Value {
    const { graph, op, inputs, attrs, dtype } = value;
    const { a, b, transA, transB } = productOf(value, this.transposed);
    const operands = [this.#now(a), this.#now(b), ...inputs.slice(2).map((input) => this.#asItWas(input))];
    const shape = this.transposed.has(value) ? value.shape.toReversed() : value.shape;
    return graph.node(op, operands, { ...attrs, transA: Number(transA), transB: Number(transB) }, { shape, dtype });
  }

  #elementwise({ graph, op, inputs, attrs, shape, dtype }: Value): Value {
    const operands = inputs.map((input) =>
      this.transposed.has(input) ? this.#now(input) : untranspose(this.#now(input), SWAP),
    );
    return graph.node(op, operands, attrs, { shape: shape.toReversed(), dtype });
  }

  /** A sum or a transpose of a value that is transposed. */
  #ofTranspose({ graph, op, attrs, shape, dtype }: Value, x: Value): Value {
    if (op === 'Transpose') return this.#now(x);
    const axes = (attrs.axes as number[]).map((axis) => 1 - axis).sort();
    return graph.node(op, [this.#now(x)], { ...attrs, axes }, { shape, dtype });
  }

  #now(value: Value): Value {
    return this.#done.get(value) as Value;
  }

  #asItWas(value: Value): Value {
    const now = this.#now(value);
    return this.transposed.has(value) ? transpose(now, SWAP) : now;
  }
}
