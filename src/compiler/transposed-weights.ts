/**
 * Matrices of weights that stand transposed, [outputs, inputs], while a model is trained.
 *
 * ONNX Runtime reads the left side of a product where it stands, and copies the right side into panels first (MLAS, `MlasSgemmOperation`), which for
 * the few rows of a shard takes nearly as long as the product. tfjs' dense layers have their weights on the right: x W. Those of the first layers, whose
 * inputs need no gradient, are only used so, and W^T x^T has them on the left: 64 rows of 784 by 512 units took 0.59 in place of 0.91 ms, the gradient
 * of W^T 0.65 in place of that of W 0.73 (Zen 4). Weights of further layers are also used the other way round, in dy W^T: what the one gains the other loses.
 */
import { asTransposed, transpose } from './graph/layout.js';
import { gemm } from './graph/linear.js';
import { rebuild } from './graph/rebuild.js';
import { reduce } from './graph/reduction.js';
import { sizeOf } from './graph/shapes.js';
import { isScalarLike, topologicalOrder, usersOf, type Value } from './graph/value.js';
import { ELEMENTWISE } from './partition/rules/elementwise.js';
import type { Lowered } from './partition/units/weight-pieces.js';

/** Elements from which on it is worth while. */
const LARGE = 1 << 15;
const SWAP = [1, 0];

/** Trained weights that had better stand transposed, by their indices in `model.weights`. The same for every number of rows. */
export function transposableWeights({ roles, outputs }: Lowered): Set<number> {
  const users = usersOf(topologicalOrder(outputs.map(({ value }) => value)));
  const found = new Set<number>();
  for (const { role, value } of outputs) {
    if (role.kind !== 'gradient' || value.shape.length !== 2 || sizeOf(value.shape) < LARGE) continue;
    const weight = [...users.keys()].find((input) => {
      const of = input.op === 'Input' ? roles.get(input.attrs.name as string) : undefined;
      return of?.kind === 'weight' && of.index === role.index;
    });
    if (!weight || !isTurnable(value, weight)) continue;
    const own = users.get(weight) as Value[];
    const products = own.filter((user) => isRightSide(user, weight));
    const others = own.filter((user) => isOfWeightAlone(user, weight));
    if (products.length > 0 && products.length + others.length === own.length) found.add(role.index);
  }
  return found;
}

/** The step with these weights transposed, and their gradients. */
export function withTransposed({ roles, outputs }: Lowered, indices: ReadonlySet<number>): Lowered {
  if (indices.size === 0) return { roles, outputs };
  const all = new Map(roles);
  const replacements = new Map<Value, Value>();
  for (const value of topologicalOrder(outputs.map((output) => output.value))) {
    const name = value.attrs.name as string;
    const role = value.op === 'Input' ? roles.get(name) : undefined;
    if (role?.kind !== 'weight' || !indices.has(role.index)) continue;
    const turnedName = `${name}_transposed`;
    all.set(turnedName, { ...role, transposed: true });
    const { graph, dtype, shape } = value;
    replacements.set(value, transpose(graph.input(turnedName, { shape: shape.toReversed(), dtype }), SWAP));
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
      return { role: { ...role, transposed: true }, value: turned(value) };
    }),
  };
}

const IS_ELEMENTWISE = new Set(ELEMENTWISE);

function isRightSide({ op, inputs, attrs }: Value, weight: Value): boolean {
  return op === 'Gemm' && inputs.length === 2 && inputs[0] !== weight && !attrs.transB;
}

/** Whether a gradient can be computed transposed as fast: it is a product, to which a regularizer may have added something made of the weight. */
function isTurnable(gradient: Value, weight: Value): boolean {
  if (gradient === weight || isScalarLike(gradient)) return true;
  const { op, inputs } = gradient;
  if (op === 'Gemm') return inputs.length === 2;
  return IS_ELEMENTWISE.has(op) && inputs.every((input) => isTurnable(input, weight));
}

/** Whether a regularizer made it: from the weight alone, element by element. */
function isOfWeightAlone({ op, inputs }: Value, weight: Value): boolean {
  return IS_ELEMENTWISE.has(op) && inputs.every((input) => input === weight || isScalarLike(input));
}

/** The transpose of a gradient that `isTurnable`, whose weight has been replaced by a transpose. */
function turned(gradient: Value): Value {
  const { op, inputs, attrs } = gradient;
  if (op === 'Gemm') return gemm(inputs[1] as Value, inputs[0] as Value, !attrs.transB, !attrs.transA);
  if (op === 'Transpose' || isScalarLike(gradient)) return transpose(gradient, SWAP);
  return elementwise(
    gradient,
    inputs.map((input) => (isScalarLike(input) ? input : turned(input))),
  );
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
  if (!IS_ELEMENTWISE.has(op) || !inputs.every((input) => asTransposed(input) || isScalarLike(input))) return value;
  const inner = inputs.map((input) => asTransposed(input)?.inner ?? input);
  return transpose(elementwise(value, inner), SWAP);
}

/** The operation on transposed operands. */
function elementwise({ graph, op, attrs, dtype, shape }: Value, operands: Value[]): Value {
  return graph.node(op, operands, attrs, { shape: shape.toReversed(), dtype });
}
