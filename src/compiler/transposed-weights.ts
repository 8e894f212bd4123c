/**
 * Matrices of weights that stand transposed, [outputs, inputs], while a model is trained. tfjs' dense layers have theirs on the right of a product, x W, where
 * ONNX Runtime copies them (see `graph/transposed-activations`). Those of the first layers, whose inputs need no gradient, are only used so, and as transposes
 * can be had on the left: 64 rows of 784 by 512 units took 0.59 in place of 0.91 ms, the gradient 0.65 in place of 0.73 (Zen 4). Weights of further
 * layers are also used the other way round, in dy W^T: what the one gains the other loses.
 */
import { asTransposed, transpose } from './graph/layout.js';
import { gemm } from './graph/linear.js';
import { ELEMENTWISE } from './graph/operators.js';
import { rebuild } from './graph/rebuild.js';
import { reduce } from './graph/reduction.js';
import { dim, sameShape, sizeOf } from './graph/shapes.js';
import { isScalarLike, topologicalOrder, usersOf, type Value } from './graph/value.js';
import type { Lowered } from './lowered.js';

/** Fewer elements are copied in less than 20 microseconds. */
const LARGE = 1 << 15;
/** The gradients of as many products as a recurrent layer has are added up in one (see `graph/sum-products`), as they are. */
const MOST_PRODUCTS = 2;
const SWAP = [1, 0];

/**
 * Trained weights that had better stand transposed, by their indices in `model.weights`. The same for every number of rows.
 *
 * @param step of a training.
 */
export function transposableWeights({ roles, outputs }: Lowered): Set<number> {
  const order = topologicalOrder(outputs.map(({ value }) => value));
  const users = usersOf(order);
  const found = new Set<number>();
  for (const { role, value: gradient } of outputs) {
    if (role.kind !== 'gradient' || gradient.shape.length !== 2 || sizeOf(gradient.shape) < LARGE) continue;
    // The gradient is that of the output times the inputs: the smaller one is transposed for it.
    if (dim(gradient.shape, 0) < dim(gradient.shape, 1)) continue;
    const weight = order.find((input) => {
      const of = input.op === 'Input' ? roles.get(input.attrs.name as string) : undefined;
      return of?.kind === 'weight' && of.index === role.index;
    });
    const own = weight ? (users.get(weight) as Value[]) : [];
    const products = own.filter((user) => isRightSide(user, weight as Value));
    const others = own.filter((user) => isOfWeightAlone(user, weight as Value));
    const isAll = products.length + others.length === own.length;
    if (!isAll || products.length === 0 || products.length > MOST_PRODUCTS) continue;
    if (isTransposable(gradient, weight)) found.add(role.index);
  }
  return found;
}

/** The step with these weights as inputs `*_transposed` of shape [outputs, inputs], and gradients of that shape. */
export function withTransposed({ roles, outputs }: Lowered, indices: ReadonlySet<number>): Lowered {
  if (indices.size === 0) return { roles, outputs };
  const all = new Map(roles);
  const replacements = new Map<Value, Value>();
  for (const value of topologicalOrder(outputs.map((output) => output.value))) {
    const name = value.attrs.name as string;
    const role = value.op === 'Input' ? roles.get(name) : undefined;
    if (role?.kind !== 'weight' || !indices.has(role.index)) continue;
    const transposedName = `${name}_transposed`;
    all.set(transposedName, { ...role, transposed: true });
    const { graph, dtype, shape } = value;
    replacements.set(value, transpose(graph.input(transposedName, { shape: shape.toReversed(), dtype }), SWAP));
  }
  const values = rebuild(
    outputs.map(({ value }) => value),
    replacements,
    absorbTransposes,
  );
  return {
    roles: all,
    outputs: outputs.map(({ role }, i) => {
      const value = values[i] as Value;
      if (role.kind !== 'gradient' || !indices.has(role.index)) return { role, value };
      return { role: { ...role, transposed: true }, value: transposedGradient(value) };
    }),
  };
}

function isRightSide({ op, inputs, attrs }: Value, weight: Value): boolean {
  return op === 'Gemm' && inputs.length === 2 && inputs[0] !== weight && !attrs.transB;
}

/** Whether a regularizer made it: from the weight alone, element by element. */
function isOfWeightAlone({ op, inputs }: Value, weight: Value): boolean {
  return ELEMENTWISE.has(op) && inputs.every((input) => input === weight || isScalarLike(input));
}

/** What a gradient is made of, down to products, the weight and what is transposed. */
function partsOf(gradient: Value, weight?: Value): Value[] {
  return topologicalOrder([gradient], (value) => {
    return value === weight || isScalarLike(value) || value.op === 'Gemm' || value.op === 'Transpose';
  });
}

/** Whether a gradient can be computed transposed as fast: it is a product, to which a regularizer may have added what it makes of the weight. */
function isTransposable(gradient: Value, weight?: Value): boolean {
  return partsOf(gradient, weight).every((part) => {
    if (part === weight || isScalarLike(part)) return true;
    if (!sameShape(part.shape, gradient.shape)) return false;
    return part.op === 'Gemm' ? part.inputs.length === 2 : part.op === 'Transpose' || ELEMENTWISE.has(part.op);
  });
}

/** The transpose of a gradient, whose weight has been replaced by a transpose. With another number of rows it may be made in another way. */
function transposedGradient(gradient: Value): Value {
  if (!isTransposable(gradient)) return transpose(gradient, SWAP);
  const done = new Map<Value, Value>();
  const transposed = (part: Value): Value => {
    const { op, inputs, attrs } = part;
    if (isScalarLike(part)) return part;
    if (op === 'Transpose') return transpose(part, SWAP);
    if (op === 'Gemm') return gemm(inputs[1] as Value, inputs[0] as Value, !attrs.transB, !attrs.transA);
    const operands = inputs.map((input) => done.get(input) as Value);
    return elementwise(part, operands);
  };
  for (const part of partsOf(gradient)) done.set(part, transposed(part));
  return done.get(gradient) as Value;
}

/** Operations on a transposed matrix as those on what it is the transpose of. */
function absorbTransposes(value: Value): Value {
  const { op, inputs, attrs } = value;
  const x = inputs[0] as Value;
  if (!inputs.some(asTransposed)) return value;
  if (op === 'Gemm' && inputs.length === 2) {
    return gemm(x, inputs[1] as Value, Boolean(attrs.transA), Boolean(attrs.transB));
  }
  if (op === 'ReduceSum') return reduce(op, x, attrs.axes as number[], Boolean(attrs.keepdims));
  const isMatrix = (input: Value) => input.shape.length === 2 && sameShape(input.shape, value.shape);
  const areTransposed = inputs.every((input) => isScalarLike(input) || (isMatrix(input) && asTransposed(input)));
  if (!ELEMENTWISE.has(op) || !areTransposed) return value;
  const inner = inputs.map((input) => asTransposed(input)?.inner ?? input);
  return transpose(elementwise(value, inner), SWAP);
}

/** The operation on transposed operands. */
function elementwise({ graph, op, attrs, dtype, shape }: Value, operands: Value[]): Value {
  return graph.node(op, operands, attrs, { shape: shape.toReversed(), dtype });
}
