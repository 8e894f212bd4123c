/** Replaces what the graph holds symbolically by ONNX operators, once it is known what is used. */

import { hasLoops, type LoopChoice } from '../loops/find-loops.js';
import { isolateLoops } from '../loops/isolate.js';
import { fitsLoop } from '../loops/loopable.js';
import { fuseAffine } from './affine.js';
import { batchProducts } from './batch-products.js';
import { blockConvolutions } from './blocked.js';
import { convolutionPart, lowerConv2d, needsWindows } from './convolution.js';
import { lowerDepthwiseConv2d } from './depthwise.js';
import { lowerFilterGradients } from './filter-gradient.js';
import { arrangeGradientProducts } from './gradient-products.js';
import { hoistAboveSlices, splitSlices } from './hoist.js';
import { materialize } from './interleave.js';
import { reshape } from './layout.js';
import { gemmPlus } from './linear.js';
import { countUses, rebuild } from './rebuild.js';
import { absorbOffsets } from './recenter.js';
import { dim, isOne, sameShape, sizeOf } from './shapes.js';
import { stayBlocked } from './stay-blocked.js';
import { sumProducts } from './sum-products.js';
import { splitSums } from './sums.js';
import { shareTransposes } from './tap-products.js';
import { transposeActivations } from './transposed-activations.js';
import { dropUnitAxes } from './unit-axes.js';
import { topologicalOrder, type Value } from './value.js';
import { widenBroadcasts } from './widen.js';

/** Rebuilds the graph under `outputs` with every symbolic node written out and some values replaced by others. */
export function lowerGraph(outputs: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  return writeOut(shareConvolutions(outputs, replacements));
}

/** In this order: small operations are merged, then large ones cut into what ONNX Runtime does fast. */
const PASSES: readonly Pass[] = [
  lowerFilterGradients,
  absorbOffsets,
  orderOperands,
  addBiasFirst,
  sumProducts,
  batchProducts,
  transposeActivations,
  fuseBiases,
  // Slices of one value become a Split, once the operations that can be done before them are.
  hoistAboveSlices,
  splitSlices,
  blockConvolutions,
  stayBlocked,
  shareTransposes,
  arrangeGradientProducts,
  splitSums,
  // Behind the sums, whose pieces have such axes.
  dropUnitAxes,
];

/** Several operations in one pass over memory, as far as ONNX Runtime can. */
const FOR_RUNTIME: readonly Pass[] = [
  fuseAffine,
  // Last: it repeats operands, which the passes above would not recognize.
  (outputs) => widenBroadcasts(outputs),
];

type Pass = (outputs: readonly Value[]) => Value[];

function apply(passes: readonly Pass[], outputs: readonly Value[]): Value[] {
  return passes.reduce((values, pass) => pass(values), [...outputs]);
}

/** Rewrites a graph for the sizes at which it is computed; `forRuntime` or `forLoops` must come after it. */
export function fitToSizes(outputs: readonly Value[]): Value[] {
  return apply(PASSES, outputs);
}

/** The last of what is done for ONNX Runtime alone. */
export function forRuntime(fitted: readonly Value[]): Value[] {
  return apply(FOR_RUNTIME, fitted);
}

/** The same where loops compute what they can (see `loops/loopable`); undefined if nothing is worth a loop. */
export function forLoops(fitted: readonly Value[], loops: LoopChoice): Value[] | undefined {
  if (!hasLoops(topologicalOrder(fitted), loops)) return undefined;
  return widenBroadcasts(isolateLoops(fitted, loops), fitsLoop);
}

/** a * b and b * a are one node. The traces of different numbers of rows have been compared by now. */
function orderOperands(outputs: readonly Value[]): Value[] {
  return rebuild(outputs, new Map(), (value) => {
    const [a, b] = value.inputs as [Value, Value];
    if (value.op !== 'Mul' || a.id <= b.id || !sameShape(a.shape, b.shape)) return value;
    return value.graph.node('Mul', [b, a], value.attrs, { shape: value.shape, dtype: value.dtype });
  });
}

/**
 * A pooling asks for convolutions of parts of the windows. Where the whole is needed anyway, the parts are cut from it. The gate of a gradient that is
 * put together counts as a need, though nothing reads it: one convolution is as fast as four there, and up to 8 % faster with loops.
 */
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
    if (value.op === 'DepthwiseConv2d') return lowerDepthwiseConv2d(value);
    return value.op === 'Interleave' ? materialize(value) : value;
  });
}

/**
 * (x W + h U) + b as (x W + b) + h U: recurrent layers add their bias last, but then it belongs to no product alone. The
 * sum with the smaller product first is the one that all time steps can share.
 */
function addBiasFirst(outputs: readonly Value[]): Value[] {
  const uses = countUses(outputs);
  return rebuild(outputs, new Map(), (value, original) => {
    const [sum, bias] = value.inputs as [Value, Value];
    if (value.op !== 'Add' || sum.op !== 'Add' || bias.shape.length !== 1) return value;
    const [p, q] = sum.inputs as [Value, Value];
    const isSumOfProducts = p.op === 'Gemm' && q.op === 'Gemm' && uses.get(original.inputs[0] as Value) === 1;
    return isSumOfProducts ? addition(addition(p, bias), q) : value;
  });
}

function addition(a: Value, b: Value): Value {
  return a.graph.node('Add', [a, b], {}, { shape: a.shape, dtype: a.dtype });
}

/** Adds biases, and other matrices, inside of the matrix products that they follow, where nothing else needs the product. */
function fuseBiases(outputs: readonly Value[]): Value[] {
  const uses = countUses(outputs);
  return rebuild(outputs, new Map(), (value, original) => {
    if (value.op !== 'Add') return value;
    const [a, b] = value.inputs as [Value, Value];
    const [usedOnceA, usedOnceB] = original.inputs.map((input) => isUsedOnce(input, uses));
    const biased = (usedOnceA && fuseBias(a, b)) || (usedOnceB && fuseBias(b, a));
    return biased || (usedOnceB && fuseMatrix(b, a)) || (usedOnceA && fuseMatrix(a, b)) || value;
  });
}

/** Small products only: a large one is as fast with its sum after it, and needs no copy of the other matrix. */
function fuseMatrix(product: Value, other: Value): Value | undefined {
  if (product.op !== 'Gemm' || product.inputs.length > 2 || !sameShape(product.shape, other.shape)) return undefined;
  if (sizeOf(product.shape) > 1 << 16) return undefined;
  return gemmPlus(product, other);
}

/** A convolution's product is a reshaped matrix: both must have no other user. */
function isUsedOnce(value: Value, uses: ReadonlyMap<Value, number>): boolean {
  return uses.get(value) === 1 && (value.op !== 'Reshape' || uses.get(value.inputs[0] as Value) === 1);
}

function fuseBias(sum: Value, bias: Value): Value | undefined {
  const product = sum.op === 'Reshape' ? (sum.inputs[0] as Value) : sum;
  if (product.op !== 'Gemm' || product.inputs.length > 2) return undefined;
  const [rows, columns] = product.shape as [number, number];
  // Where activations are transposed, it is a number for each row.
  if (sum === product && sameShape(bias.shape, [rows, 1])) return gemmPlus(product, bias);
  const isBias = bias.shape.length > 0 && bias.shape.length <= sum.shape.length && isOne(bias.shape.slice(0, -1));
  // Columns of the matrix must be the last axis of the sum, and the bias one number for each.
  if (!isBias || dim(sum.shape, -1) !== columns || dim(bias.shape, -1) !== columns) return undefined;
  return reshape(gemmPlus(product, reshape(bias, [columns])), sum.shape);
}
