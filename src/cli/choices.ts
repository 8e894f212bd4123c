/** Names that options take. Apart from the code that uses them, so that `--help` need not load tfjs. */

/** Losses that `--loss` takes. */
export const LOSSES = [
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'binaryCrossentropy',
  'meanSquaredError',
  'meanAbsoluteError',
] as const;

/** Other names that tfjs and Keras have for them. */
export const LOSS_ALIASES: Record<string, Loss> = { mse: 'meanSquaredError', mae: 'meanAbsoluteError' };

export type Loss = (typeof LOSSES)[number];

/** Activations that `--activation` takes. */
export const ACTIVATIONS = [
  'relu',
  'tanh',
  'sigmoid',
  'elu',
  'selu',
  'relu6',
  'softplus',
  'softsign',
  'hardSigmoid',
  'swish',
  'linear',
] as const;

export type Activation = (typeof ACTIVATIONS)[number];
