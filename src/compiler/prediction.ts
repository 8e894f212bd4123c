/** The forward pass of a model as an ONNX model for any number of rows. */
import type * as tf from '@tensorflow/tfjs';
import type { TensorSpec } from '../common/program.js';
import { constants } from './compile.js';
import { concat, pad } from './graph/layout.js';
import { lowerGraph } from './graph/lower.js';
import { dim } from './graph/shapes.js';
import type { Graph, Value } from './graph/value.js';
import { encodeModel } from './onnx/encode.js';
import { NotPartitionable, type Pair, pairUp } from './partition/pairs.js';
import type { TracedStep } from './trace/steps.js';
import { tracePrediction } from './trace/steps.js';

/** Two numbers of rows: what differs between their traces depends on the rows. */
const ROWS = 2;
const OTHER_ROWS = 3;

/**
 * Encodes the forward pass, weights and all, with a first axis `batch` of any size.
 *
 * @param features per-row shapes and types of the model's inputs
 * @param inputNames names for the inputs, in order
 * @param outputNames names for the outputs, in order
 * @throws NotPartitionable if the model computes with its number of rows.
 */
export function encodePrediction(
  model: tf.LayersModel,
  features: TensorSpec[],
  inputNames: readonly string[],
  outputNames: readonly string[],
): Uint8Array {
  const step = tracePrediction(model, ROWS, features);
  const other = tracePrediction(model, OTHER_ROWS, features);
  const { outputs, order } = pairUp(lowered(model, step), ROWS, lowered(model, other), OTHER_ROWS);
  const made = new Map<Pair, Value>();
  const rowAxes = new Map<Value, number | undefined>();
  for (const pair of order) {
    const value = forAnyRows(pair, made, step.graph);
    made.set(pair, value);
    rowAxes.set(value, pair.rowAxis);
  }
  const inputs = order.filter(({ value }) => value.op === 'Input');
  const named = inputs.map((pair) => {
    const role = step.roles.get(pair.value);
    if (role?.kind !== 'feature') throw new NotPartitionable('needs random numbers to predict', pair.value);
    return { name: inputNames[role.index] as string, value: made.get(pair) as Value };
  });
  const ends = outputs.map((pair, i) => ({ name: outputNames[i] as string, value: made.get(pair) as Value }));
  return encodeModel(named, ends, (value) => rowAxes.get(value));
}

/** The outputs as ONNX operators, with the model's weights as constants. */
function lowered(model: tf.LayersModel, step: TracedStep): Value[] {
  const given = constants(step);
  for (const [value, role] of step.roles) {
    if (role.kind !== 'weight') continue;
    const data = model.weights[role.index]?.read().dataSync() as Float32Array;
    given.set(value, step.graph.constant(data.slice(), value.shape, value.dtype));
  }
  return lowerGraph(
    step.outputs.map(({ value }) => value),
    given,
  );
}

/** The node of a pair with nothing in it that says how many rows there are. */
function forAnyRows(pair: Pair, made: ReadonlyMap<Pair, Value>, graph: Graph): Value {
  const { value, rowAxis } = pair;
  const { op, attrs, shape, dtype } = value;
  if (op === 'Input') return value;
  if (op === 'Constant') {
    if (rowAxis === undefined) return value;
    // The same for all rows, which operators repeat where they meet others.
    if (value.splat !== undefined) return graph.splat(value.splat, withRows(shape, rowAxis, 1), dtype);
    throw new NotPartitionable('has a constant with a value for each row', value);
  }
  const inputs = pair.inputs.map((input) => made.get(input) as Value);
  if (op === 'Concat' && pair.inputs.some(isRepeatedRow)) return padded(pair, inputs);
  return graph.node(op, inputs, rowAxis === undefined ? attrs : attrsForAnyRows(pair, rowAxis), { shape, dtype });
}

/** Whether it is one number throughout, for as many rows as there are. */
function isRepeatedRow({ value, rowAxis }: Pair): boolean {
  return value.splat !== undefined && rowAxis !== undefined;
}

/** Parts one behind the other, of which some are such numbers: the parts beside them are padded, since a joined part must have its rows. */
function padded({ value, rowAxis, inputs: pairs }: Pair, inputs: readonly Value[]): Value {
  const axis = value.attrs.axis as number;
  const along = (n: number) => value.shape.map((_, i) => (i === axis ? n : 0));
  if (axis === rowAxis) throw new NotPartitionable('joins rows', value);
  const parts: Value[] = [];
  const before: Pair[] = [];
  pairs.forEach((pair, i) => {
    const [n, last] = [dim(pair.value.shape, axis), parts.at(-1)];
    if (!isRepeatedRow(pair)) {
      const beside = (part: Value, { value: { shape, splat } }: Pair) =>
        pad(part, along(dim(shape, axis)), along(0), splat);
      parts.push(before.splice(0).reduceRight(beside, inputs[i] as Value));
    } else if (last) parts[parts.length - 1] = pad(last, along(0), along(n), pair.value.splat);
    else before.push(pair);
  });
  return concat(parts, axis);
}

function attrsForAnyRows({ value, inputs }: Pair, rowAxis: number): Value['attrs'] {
  const { op, attrs, shape } = value;
  if (op === 'Reshape') return { ...attrs, shape: withRows(shape, rowAxis, -1) };
  if (op === 'Expand') {
    if (inputs[0]?.rowAxis === undefined) throw new NotPartitionable('repeats a value for each row', value);
    // ONNX keeps an axis of the input where the new shape has 1.
    return { ...attrs, shape: withRows(shape, rowAxis, 1) };
  }
  if (op === 'Slice' && (attrs.axes as number[]).includes(rowAxis)) {
    throw new NotPartitionable('picks rows by their number', value);
  }
  return attrs;
}

function withRows(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((n, i) => (i === axis ? size : n));
}
