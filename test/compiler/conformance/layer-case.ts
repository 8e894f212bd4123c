/** One layer with one choice of options, in the smallest model that shows all of its gradients. */
import * as tf from '@tensorflow/tfjs';

/** Name of a function of `tf.layers`. */
export type Factory = keyof typeof tf.layers;

export interface LayerCase {
  factory: Factory;
  options: string;
  /** A compiled model with fixed weights. */
  build(): tf.LayersModel;
  features(rows: number): tf.Tensor[];
  /** Where tfjs' own gradient is wrong or missing: why. The reference is then a numerical derivative of tfjs' loss. */
  numerical?: string;
  /** Where tfjs is wrong already on the way forward: a model with the same weights and results, and why. */
  equivalent?: { why: string; build(): tf.LayersModel };
  /** Between the points of the numerical derivative; small where the loss has kinks. Default: 0.1. */
  distance?: number;
  /** What the compiler says of what it cannot trace. */
  refused?: RegExp;
  /** Why it cannot be traced. */
  because?: string;
}

type AnyLayer = tf.layers.Layer;
type Options = Record<string, unknown>;
export type Extra = Partial<Omit<LayerCase, 'factory' | 'options' | 'build'>>;

/** Numbers in [low, high) that are the same in every run. */
export function numbers(shape: number[], seed: number, low = -1, high = 1): tf.Tensor {
  return tf.randomUniform(shape, low, high, 'float32', seed);
}

/** Sets weights that depend only on the model's architecture. Variances stay positive. */
export function fixWeights(model: tf.LayersModel): tf.LayersModel {
  const values = model.weights.map(({ shape, originalName }, i) => {
    const isVariance = originalName.includes('variance');
    return numbers(shape as number[], 40 + i, isVariance ? 0.5 : -0.6, isVariance ? 1.5 : 0.6);
  });
  model.setWeights(values);
  return model;
}

export function compiled(model: tf.LayersModel): tf.LayersModel {
  model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' });
  return fixWeights(model);
}

/** Shape of random data for the model's inputs. */
export function randomInputs(model: tf.LayersModel, rows: number): tf.Tensor[] {
  return model.inputs.map((input, i) => numbers([rows, ...(input.shape.slice(1) as number[])], 7 + i));
}

export function targetsOf(model: tf.LayersModel, rows: number): tf.Tensor[] {
  return model.outputs.map((output, i) => numbers([rows, ...(output.shape.slice(1) as number[])], 70 + i));
}

/**
 * The layers between a dense layer below, which gets its gradient through them, and one above.
 *
 * @param below false to give the layers the data as it is
 */
export function between(inputShape: number[], layers: AnyLayer[], below = true): tf.LayersModel {
  const input = tf.input({ shape: inputShape });
  let y: tf.SymbolicTensor = input;
  const apply = (layer: AnyLayer): void => {
    y = layer.apply(y) as tf.SymbolicTensor;
  };
  if (below) apply(tf.layers.dense({ units: inputShape.at(-1) as number, useBias: false }));
  for (const layer of layers) apply(layer);
  if (y.shape.length > 2) apply(tf.layers.flatten());
  apply(tf.layers.dense({ units: 2 }));
  return compiled(tf.model({ inputs: input, outputs: y }));
}

/** One case for each variant of a layer's options. */
export function variants(
  factory: Factory,
  inputShape: number[],
  base: Options,
  options: Options[],
  extra: Extra | ((variant: Options) => Extra) = {},
): LayerCase[] {
  const make = tf.layers[factory] as unknown as (options: Options) => AnyLayer;
  return options.map((variant) =>
    custom(factory, describe(variant), () => between(inputShape, [make({ ...base, ...variant })]), {
      ...(typeof extra === 'function' ? extra(variant) : extra),
    }),
  );
}

/** A case with a model of its own. */
export function custom(factory: Factory, options: string, build: () => tf.LayersModel, extra: Extra = {}): LayerCase {
  const features = (rows: number): tf.Tensor[] => randomInputs(build(), rows);
  return { factory, options, build, features, ...extra };
}

function describe(options: Options): string {
  const parts = Object.entries(options).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return parts.join(', ') || 'defaults';
}

/** Items in groups, in the order of their first members. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups];
}
