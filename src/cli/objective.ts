import * as tf from '@tensorflow/tfjs';
import type { Target } from '../data/table.js';
import type { Loss } from './choices.js';
import { UsageError } from './usage-error.js';

/** What a model is trained for: its loss and metrics, and the form of its last layer and of y that go with them. */
export interface Objective {
  loss: Loss;
  metrics: string[];
  /** Width and activation of the last layer. */
  units: number;
  activation: 'softmax' | 'sigmoid' | 'linear';
  /** How a target becomes a row of y: the value itself (a class as its index), or a 1 at the class among zeros. */
  encoding: 'value' | 'oneHot';
}

/**
 * Chooses the objective for a target.
 *
 * @param outputUnits width of the last layer, where a model file has fixed it.
 * @throws UsageError if the loss asked for needs classes and the target is a number.
 */
export function chooseObjective(target: Target, loss?: Loss, outputUnits?: number): Objective {
  if (target.kind === 'number') return numberObjective(target.name, loss);
  const classes = target.classes.length;
  const oneOutput = classes === 2 && (loss === 'binaryCrossentropy' || (loss === undefined && outputUnits === 1));
  if (oneOutput) return classObjective('binaryCrossentropy', 1, 'sigmoid', 'value');
  switch (loss) {
    case 'binaryCrossentropy':
      return classObjective(loss, classes, 'sigmoid', 'oneHot');
    case 'sparseCategoricalCrossentropy':
      return classObjective(loss, classes, 'softmax', 'value');
    default:
      return classObjective(loss ?? 'categoricalCrossentropy', classes, 'softmax', 'oneHot');
  }
}

function classObjective(
  loss: Loss,
  units: number,
  activation: Objective['activation'],
  encoding: Objective['encoding'],
): Objective {
  return { loss, metrics: ['accuracy'], units, activation, encoding };
}

function numberObjective(name: string, loss: Loss = 'meanSquaredError'): Objective {
  if (loss !== 'meanSquaredError' && loss !== 'meanAbsoluteError') {
    throw new UsageError(
      `--loss ${loss} needs classes, but '${name}' holds numbers; use --loss meanSquaredError, or --task class if its numbers are labels`,
    );
  }
  const metrics = [loss === 'meanSquaredError' ? 'mae' : 'mse'];
  return { loss, metrics, units: 1, activation: 'linear', encoding: 'value' };
}

/**
 * Learning rate where none is given: Keras' 0.01 for classes. Gradients of a squared error grow with the size of the target,
 * which is left as it is: there 0.01 often diverges.
 */
export function defaultLearningRate(target: Target): number {
  return target.kind === 'class' ? 0.01 : 0.001;
}

/** Rows of y in the form that the objective needs: [rows, 1] or [rows, classes]. The caller disposes of it. */
export function encodeTarget(target: Target, { encoding, units }: Objective): tf.Tensor2D {
  const rows = target.values.length;
  if (encoding === 'value') return tf.tensor2d(Float32Array.from(target.values), [rows, 1]);
  const values = new Float32Array(rows * units);
  target.values.forEach((label, row) => {
    values[row * units + label] = 1;
  });
  return tf.tensor2d(values, [rows, units]);
}
