/** What is said about samples of a noisy quantity. */

/** The middle half of some samples, and what is outside. */
export interface Spread {
  median: number;
  /** First and third quartile. */
  q1: number;
  q3: number;
  min: number;
  max: number;
  samples: number;
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The value that a share of the samples does not exceed, between samples by the line through them (type 7 of Hyndman and Fan,
 * "Sample Quantiles in Statistical Packages", 1996). NaN of no samples.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (place - below);
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    q1: quantile(values, 0.25),
    q3: quantile(values, 0.75),
    min: Math.min(...values),
    max: Math.max(...values),
    samples: values.length,
  };
}
