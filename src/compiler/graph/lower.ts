/** Replaces what the graph holds symbolically by ONNX operators, once it is known what is used. */
import { convolutionPart, lowerConv2d, needsWindows } from './convolution.js';
import { materialize } from './interleave.js';
import { reshape } from './layout.js';
import { gemmWithBias } from './linear.js';
import { dim, isOne } from './shapes.js';
import { topologicalOrder, type Value } from './value.js';

/** Rebuilds the graph under `outputs` with every symbolic node written out and some values replaced by others. */
export function lowerGraph(outputs: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  return writeOut(shareConvolutions(outputs, replacements));
}

/** A pooling asks for convolutions of parts of the windows; where the whole is needed anyway, the parts are cut from it. */
function shareConvolutions(outputs: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  const convolutions = topologicalOrder(outputs).filter((value) => value.op === 'Conv2d');
  return rebuild(outputs, replacements, (value, original) => {
    if (value.op !== 'Conv2d') return value;
    const others = convolutions.filter((other) => other.inputs.every((input, i) => input === original.inputs[i]));
    for (const other of others) {
      const part = convolutionPart(value, other.attrs);
      if (part) return part;
    }
    return value;
  });
}

function writeOut(outputs: readonly Value[]): Value[] {
  const needed = new Set(topologicalOrder(outputs));
  return rebuild(outputs, new Map(), (value, original) => {
    if (value.op === 'Conv2d') return lowerConv2d(value, needsWindows(original, needed));
    return value.op === 'Interleave' ? materialize(value) : value;
  });
}

/** Adds biases inside of the matrix products that they follow, where nothing else needs the product. The last pass. */
export function fuseBiases(outputs: readonly Value[]): Value[] {
  const uses = new Map<Value, number>();
  for (const value of [...topologicalOrder(outputs).flatMap((v) => v.inputs), ...outputs]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  return rebuild(outputs, new Map(), (value, original) => {
    if (value.op !== 'Add') return value;
    const [a, b] = value.inputs as [Value, Value];
    const [usedOnceA, usedOnceB] = original.inputs.map((input) => isUsedOnce(input, uses));
    return (usedOnceA && fuseBias(a, b)) || (usedOnceB && fuseBias(b, a)) || value;
  });
}

/** A convolution's product is a reshaped matrix: both must have no other user. */
function isUsedOnce(value: Value, uses: ReadonlyMap<Value, number>): boolean {
  return uses.get(value) === 1 && (value.op !== 'Reshape' || uses.get(value.inputs[0] as Value) === 1);
}

function fuseBias(sum: Value, bias: Value): Value | undefined {
  const product = sum.op === 'Reshape' ? (sum.inputs[0] as Value) : sum;
  if (product.op !== 'Gemm' || product.inputs.length > 2) return undefined;
  const isBias = bias.shape.length > 0 && bias.shape.length <= sum.shape.length && isOne(bias.shape.slice(0, -1));
  // Columns of the matrix must be the last axis of the sum, and the bias one number for each.
  const columns = dim(product.shape, 1);
  if (!isBias || dim(sum.shape, -1) !== columns || dim(bias.shape, -1) !== columns) return undefined;
  return reshape(gemmWithBias(product, bias), sum.shape);
}

/** Makes the graph again with `rewrite` applied to each node after its inputs. */
function rebuild(
  outputs: readonly Value[],
  replacements: ReadonlyMap<Value, Value>,
  rewrite: (rebuilt: Value, original: Value) => Value,
): Value[] {
  const done = new Map(replacements);
  for (const value of topologicalOrder(outputs)) {
    if (done.has(value)) continue;
    const inputs = value.inputs.map((v) => done.get(v) as Value);
    const same = inputs.every((v, i) => v === value.inputs[i]);
    const { op, attrs, shape, dtype } = value;
    const rebuilt = same ? value : value.graph.node(op, inputs, attrs, { shape, dtype });
    done.set(value, rewrite(rebuilt, value));
  }
  return outputs.map((value) => done.get(value) as Value);
}
