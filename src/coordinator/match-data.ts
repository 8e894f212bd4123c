import * as tf from '@tensorflow/tfjs';
import type { TensorSpec } from '../common/program.js';
import { checkIndices } from './check-indices.js';
import { type ArrayInput, isNdArray, isPlainObject, type Rows, readRows, type TensorInput } from './data-in.js';
import { readSampleWeights, type SampleWeight } from './sample-weights.js';

/** x and y as the model takes them, one entry per input and output. */
export interface MatchedData {
  rows: number;
  features: Rows[];
  targets: Rows[];
  /** By output: weights of its rows in the loss, shape [rows]; undefined where all count alike. */
  sampleWeights: (Rows | undefined)[];
}

interface Slot {
  name: string;
  /** Shape without the batch axis; null where any size will do. */
  shape: (number | null)[];
  /** Number of classes, if the values are class numbers. */
  classes?: number;
}

/**
 * Reads x and y and holds them against the model's inputs and outputs.
 *
 * @param names what to call x, y and the weights in errors.
 * @param sampleWeight what the rows count in the loss, if not alike.
 * @throws TypeError or RangeError that says which array does not fit and how.
 */
export async function matchData(
  model: tf.LayersModel,
  x: TensorInput,
  y: TensorInput,
  [xName, yName, weightName]: [string, string, string],
  sampleWeight: SampleWeight | undefined,
): Promise<MatchedData> {
  const features = await matchFeatures(model, x, xName);
  const targets = await readAll(yName, y, targetSlots(model), 'output');
  const rows = features[0]?.shape[0] ?? 0;
  const labels = [...labelsOf(xName, model.inputNames), ...labelsOf(yName, model.outputNames)];
  [...features, ...targets].forEach(({ shape }, i) => {
    if (shape[0] === rows) return;
    throw new RangeError(
      `${labels[0]} has ${rows} rows and ${labels[i]} has ${shape[0]}: each row of one needs a row of the other`,
    );
  });
  const sampleWeights = await readSampleWeights(model, rows, sampleWeight, weightName);
  return { rows, features, targets, sampleWeights };
}

/**
 * Reads x and holds it against the model's inputs, whose entries it puts in order.
 *
 * @throws as `matchData`.
 */
export async function matchFeatures(model: tf.LayersModel, x: TensorInput, name: string): Promise<Rows[]> {
  const inputs = model.inputs.map((input, i) => ({ name: model.inputNames[i] ?? '', shape: input.shape.slice(1) }));
  const features = await readAll(name, x, inputs, 'input');
  checkIndices(model, features, labelsOf(name, model.inputNames));
  return features;
}

/** Shapes and dtypes of one row, as the compiler wants them. */
export function rowSpecs(list: Rows[]): TensorSpec[] {
  return list.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }));
}

function targetSlots(model: tf.LayersModel): Slot[] {
  return model.outputs.map((output, i) => {
    const shape = output.shape.slice(1);
    const name = model.outputNames[i] ?? '';
    if (!isSparse(model, i)) return { name, shape };
    // tfjs: the targets of this loss are class numbers, with a last axis of 1 in place of the classes.
    return { name, shape: [...shape.slice(0, -1), 1], classes: shape.at(-1) ?? undefined };
  });
}

function isSparse(model: tf.LayersModel, output: number): boolean {
  const loss = model.loss as unknown;
  const own = Array.isArray(loss)
    ? loss[output]
    : typeof loss === 'object' && loss !== null
      ? (loss as Record<string, unknown>)[model.outputNames[output] ?? '']
      : loss;
  return typeof own === 'string' && /^sparse_?categorical_?crossentropy$/i.test(own);
}

async function readAll(name: string, input: TensorInput, slots: Slot[], kind: string): Promise<Rows[]> {
  const arrays = arraysOf(name, input, slots, kind);
  const labels = labelsOf(
    name,
    slots.map((slot) => slot.name),
  );
  const result: Rows[] = [];
  for (const [i, slot] of slots.entries()) {
    const label = labels[i] as string;
    result.push(fitRows(label, await readRows(label, arrays[i] as ArrayInput), slot, kind));
  }
  return result;
}

/** What to call each of several arrays. */
function labelsOf(name: string, slots: string[]): string[] {
  return slots.map((slot) => (slots.length > 1 ? `${name} '${slot}'` : name));
}

/** One array per slot, from a single array, a list or an object by name. */
function arraysOf(name: string, input: TensorInput, slots: Slot[], kind: string): ArrayInput[] {
  if (isPlainObject(input)) {
    const missing = slots.find((slot) => !(slot.name in input));
    if (missing) {
      // Most likely an array is missing, and the options stand in its place.
      const isOptions = ['epochs', 'batchSize'].some((option) => option in input);
      const hint = isOptions ? `: it holds ${Object.keys(input).join(', ')}; put the options behind all data` : '';
      throw new TypeError(`${name} has no entry for the model's ${kind} '${missing.name}'${hint}`);
    }
    return slots.map((slot) => input[slot.name] as ArrayInput);
  }
  const list = isList(input, slots) ? input : [input as ArrayInput];
  if (list.length !== slots.length) {
    throw new TypeError(`${name} must hold ${slots.length} arrays, one per ${kind} of the model, got ${list.length}`);
  }
  return list;
}

/** Whether `input` has an array for each slot. That of a single slot may be a tensor, an ndarray or rows nested once more. */
function isList(input: TensorInput, slots: Slot[]): input is ArrayInput[] {
  if (!Array.isArray(input)) return false;
  if (slots.length > 1 || input[0] instanceof tf.Tensor || isNdArray(input[0])) return true;
  return input.length === 1 && depthOf(input) > (slots[0]?.shape.length ?? 0) + 1;
}

/** Levels of nested arrays. */
function depthOf(value: unknown): number {
  return Array.isArray(value) || ArrayBuffer.isView(value) ? 1 + depthOf((value as unknown as unknown[])[0]) : 0;
}

function fitRows(name: string, rows: Rows, slot: Slot, kind: string): Rows {
  // As tfjs does: a plain list of numbers is a column.
  const shape = rows.shape.length === 1 ? [rows.shape[0] as number, 1] : rows.shape;
  const own = shape.slice(1);
  const fits = own.length === slot.shape.length && own.every((n, i) => slot.shape[i] === null || slot.shape[i] === n);
  if (!fits) {
    const wanted = ['rows', ...slot.shape.map((n) => n ?? 'any')].join(', ');
    throw new RangeError(
      `${name} must have the shape [${wanted}] of the model's ${kind} '${slot.name}', got [${rows.shape}]`,
    );
  }
  if (slot.classes !== undefined) checkClasses(name, rows, slot.classes);
  return { ...rows, shape };
}

function checkClasses(name: string, { data }: Rows, classes: number): void {
  const index = data.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= classes);
  if (index < 0) return;
  throw new RangeError(
    `${name}[${index}] is ${data[index]}: sparseCategoricalCrossentropy takes class numbers from 0 to ${classes - 1}`,
  );
}
