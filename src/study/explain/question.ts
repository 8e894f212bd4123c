/** The network, the data and the optimizer of the question that shardfit answers. */
import * as tf from '@tensorflow/tfjs';
import { type Optimizer, sgd } from '../../common/optimizers/index.js';
import { trainingRows } from '../../common/validation-split.js';
import { loadData } from '../../data/data-sets.js';
import { fitNormalizer, normalize } from '../../data/normalizer.js';

export const VALIDATION_SPLIT = 0.1;
const HIDDEN = 20;
const DATA = 'diabetes';

/** The optimizer that the question names. */
export const SETTINGS = { learningRate: 0.01, decay: 0.1, momentum: 0.1 };
export const OPTIMIZER: Optimizer = sgd(SETTINGS);

/** Rows for the question's network, as tensors that `dispose` frees. */
export interface QuestionData extends Disposable {
  name: string;
  /** Rows trained on, which are the first ones, and rows kept for validation. */
  rows: number;
  validationRows: number;
  features: number;
  target: string;
  /** Mean and (population) standard deviation of the target over the training rows. */
  mean: number;
  deviation: number;
  /** [rows + validationRows, features], of mean 0 and deviation 1 over the training rows. */
  x: tf.Tensor2D;
  /** [rows + validationRows, 1], the target brought to mean 0 and deviation 1 over the training rows. */
  y: tf.Tensor2D;
  /** The target as it was measured. */
  measured: tf.Tensor2D;
}

/** Loads the ten inputs and the target. Statistics are those of the training rows alone. */
export async function loadQuestion(): Promise<QuestionData> {
  const table = await loadData(DATA);
  const rows = trainingRows(table.rows, VALIDATION_SPLIT);
  const features = normalize(fitNormalizer(table.features, table.columns, rows), table.features);
  const values = Float64Array.from(table.target.values);
  const scaler = fitNormalizer(values, [table.target.name], rows);
  const x = tf.tensor2d(features, [table.rows, table.columns.length]);
  const y = tf.tensor2d(normalize(scaler, values), [table.rows, 1]);
  const measured = tf.tensor2d(Float32Array.from(values), [table.rows, 1]);
  return {
    name: table.name,
    rows,
    validationRows: table.rows - rows,
    features: table.columns.length,
    target: table.target.name,
    mean: scaler.mean[0] as number,
    deviation: scaler.scale[0] as number,
    ...{ x, y, measured },
    [Symbol.dispose]: () => tf.dispose([x, y, measured]),
  };
}

/** 10-20-1 with relu, compiled with the squared error. The same weights for the same seed. */
export function questionNetwork(features: number, seed: number): tf.Sequential {
  // tfjs takes a seed of 0 for none.
  const draw = (layer: number) => tf.initializers.glorotUniform({ seed: 2 * seed + layer });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [features], units: HIDDEN, activation: 'relu', kernelInitializer: draw(1) }),
      tf.layers.dense({ units: 1, kernelInitializer: draw(2) }),
    ],
  });
  // The optimizer is given to fit; compile only wants one.
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return model;
}

/** Widths of the layers, `10-20-1`. */
export function widthsOf(features: number): string {
  return `${features}-${HIDDEN}-1`;
}
