import { DataError } from './data-error.js';

/** Statistics that bring each feature to mean 0 and standard deviation 1 over the rows they were taken from. */
export interface Normalizer {
  columns: string[];
  /** [columns] */
  mean: number[];
  /** What the centred values are divided by, [columns]: the standard deviation, or 1 where a column is constant. */
  scale: number[];
}

/**
 * Takes mean and (population) standard deviation of each column over the first `trainingRows` rows. Rows behind them, those
 * kept for validation, are not read.
 *
 * @param features [rows, columns.length], at least `trainingRows` rows.
 */
export function fitNormalizer(features: ArrayLike<number>, columns: string[], trainingRows: number): Normalizer {
  const width = columns.length;
  if (trainingRows < 1) throw new DataError(`a normalizer needs at least 1 training row, got ${trainingRows}`);
  if (features.length < trainingRows * width) {
    throw new DataError(
      `a normalizer of ${trainingRows} rows with ${width} columns needs ${trainingRows * width} values, got ${features.length}`,
    );
  }
  const mean = new Array<number>(width).fill(0);
  const squares = new Array<number>(width).fill(0);
  for (let row = 0; row < trainingRows; row++) {
    for (let column = 0; column < width; column++) {
      // A running mean (Welford 1962): a sum of squares would lose a small spread around a large mean.
      const value = features[row * width + column] as number;
      const before = value - (mean[column] as number);
      mean[column] = (mean[column] as number) + before / (row + 1);
      squares[column] = (squares[column] as number) + before * (value - (mean[column] as number));
    }
  }
  // The running form leaves exactly 0 where all values are the same.
  const scale = squares.map((sum) => (sum > 0 ? Math.sqrt(sum / trainingRows) : 1));
  return { columns: [...columns], mean, scale };
}

/**
 * (value - mean) / scale for each value, as 32-bit floats.
 *
 * @param features [rows, normalizer.columns.length]
 */
export function normalize(normalizer: Normalizer, features: ArrayLike<number>): Float32Array {
  const { mean, scale } = normalizer;
  const width = mean.length;
  if (features.length % width !== 0) {
    throw new DataError(
      `${features.length} values cannot be rows of ${width} columns (${normalizer.columns.join(', ')})`,
    );
  }
  const normalized = new Float32Array(features.length);
  for (let start = 0; start < features.length; start += width) {
    for (let column = 0; column < width; column++) {
      const value = features[start + column] as number;
      normalized[start + column] = (value - (mean[column] as number)) / (scale[column] as number);
    }
  }
  return normalized;
}
