/** Weights of rows in the loss, from what `fit` was given: a number for each row, a number for each class, or both. */
import type * as tf from '@tensorflow/tfjs';
import { show } from '../common/show.js';
import type { ArrayInput, Rows } from './data-in.js';
import { readRows } from './data-in.js';

/** One array of a weight for each row; for several outputs a list with one each, or an object by name of the output. */
export type SampleWeight = ArrayInput | (ArrayInput | null)[] | Record<string, ArrayInput>;

/** Weights by class number; for several outputs a list with one each, or an object by name of the output. */
export type ClassWeight =
  | Record<number, number>
  | (Record<number, number> | null)[]
  | Record<string, Record<number, number>>;

/**
 * The weights that `fit` was given for rows, by output; undefined for an output whose rows all count alike.
 *
 * @param rows rows of the data
 * @param name what to call the weights in errors
 * @throws TypeError or RangeError for weights that do not fit the rows.
 */
export async function readSampleWeights(
  { outputNames }: tf.LayersModel,
  rows: number,
  sampleWeight: SampleWeight | undefined,
  name: string,
): Promise<(Rows | undefined)[]> {
  const given = byOutput<ArrayInput>(name, sampleWeight, outputNames, isOneArray);
  const result: (Rows | undefined)[] = [];
  for (const [i, own] of given.entries()) {
    const label = outputNames.length > 1 ? `${name} '${outputNames[i]}'` : name;
    result.push(own && (await readWeights(label, own, rows)));
  }
  return result;
}

/**
 * The weights of rows with those of their classes. A row that has both counts with their product, as in Keras.
 *
 * @throws TypeError or RangeError for weights that are none, or a class without one.
 */
export function weighClasses(
  { outputNames }: tf.LayersModel,
  { targets, sampleWeights }: { targets: Rows[]; sampleWeights: (Rows | undefined)[] },
  classWeight: ClassWeight | undefined,
): (Rows | undefined)[] {
  const given = byOutput<Record<number, number>>('classWeight', classWeight, outputNames, isWeightsOfClasses);
  return targets.map((target, i) => {
    const classes = given[i];
    return product(sampleWeights[i], classes && weightsOfClasses(target, classes, outputNames[i] as string));
  });
}

/** One entry for each output, from a single one, a list or an object by name. */
function byOutput<T>(
  option: string,
  value: unknown,
  names: string[],
  isSingle: (value: unknown, names: string[]) => boolean,
): (T | undefined)[] {
  if (value === undefined || value === null) return names.map(() => undefined);
  if (typeof value !== 'object') throw new TypeError(`${option} must be an array or an object, got ${show(value)}`);
  if (isSingle(value, names)) {
    if (names.length === 1) return [value as T];
    throw new TypeError(
      `${option} must say which of the outputs it is for: a list with an entry for each, or an object by name (${names.join(', ')})`,
    );
  }
  if (Array.isArray(value)) {
    if (value.length === names.length) return value.map((entry) => entry ?? undefined);
    throw new TypeError(`${option} must have an entry for each of ${names.length} outputs, got ${value.length}`);
  }
  const unknown = Object.keys(value).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`${option} has an entry '${unknown}', which is no output of the model: ${names.join(', ')}`);
  }
  return names.map((key) => (value as Record<string, T>)[key]);
}

/** A list of numbers is one array; a list of lists or tensors has one for each output. */
function isOneArray(value: unknown): boolean {
  if (Array.isArray(value))
    return typeof value[0] !== 'object' || value[0] === null ? typeof value[0] === 'number' : false;
  return Object.getPrototypeOf(value) !== Object.prototype || 'stride' in (value as object);
}

function isWeightsOfClasses(value: unknown, names: string[]): boolean {
  return !Array.isArray(value) && !Object.keys(value as object).some((key) => names.includes(key));
}

async function readWeights(name: string, input: ArrayInput, count: number): Promise<Rows> {
  const { data, shape } = await readRows(name, input);
  if (data.length !== count) {
    throw new RangeError(`${name} must have one weight for each of ${count} rows, got the shape [${shape}]`);
  }
  const index = data.findIndex((weight) => weight < 0);
  if (index >= 0) throw new RangeError(`${name}[${index}] is ${data[index]}: weights must not be negative`);
  return { data: Float32Array.from(data), shape: [count], dtype: 'float32' };
}

/** As tfjs: targets of one column are class numbers, those of several columns have their class where the largest value is. */
function weightsOfClasses({ data, shape }: Rows, weights: Record<number, number>, output: string): Rows {
  const [rows = 0, columns = 1] = shape;
  if (shape.length > 2) {
    throw new RangeError(
      `classWeight needs targets of shape [rows] or [rows, classes]; those of output '${output}' have [${shape}]`,
    );
  }
  for (const [key, weight] of Object.entries(weights)) {
    if (/^\d+$/.test(key) && typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) continue;
    throw new RangeError(`classWeight must give each class number a weight of at least 0, got ${key}: ${show(weight)}`);
  }
  const result = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = columns === 1 ? (data[row] as number) : largest(data.subarray(row * columns, (row + 1) * columns));
    const weight = weights[own];
    if (weight === undefined) {
      throw new RangeError(
        `classWeight has no weight for class ${own}, which is in the data of output '${output}': it must have one for every class`,
      );
    }
    result[row] = weight;
  }
  return { data: result, shape: [rows], dtype: 'float32' };
}

function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

function product(a: Rows | undefined, b: Rows | undefined): Rows | undefined {
  if (!a || !b) return a ?? b;
  return { ...a, data: (a.data as Float32Array).map((weight, row) => weight * (b.data[row] as number)) };
}
