export const SCALINGS = ['strong', 'weak'] as const;

/** Strong: the same mini-batch for all workers together. Weak: the same rows for each worker (Gustafson, 1988). */
export type Scaling = (typeof SCALINGS)[number];

/** One thing to be measured. With one worker both scalings are the same: it is measured once, as strong. */
export interface Point {
  scaling: Scaling;
  workers: number;
  batchSize: number;
}

/** Points for a mini-batch of `batchSize` rows for one worker. One worker is always among them: the others are compared with it. */
export function scalingPoints(batchSize: number, workers: readonly number[], scalings: readonly Scaling[]): Point[] {
  const counts = [...new Set([1, ...workers])].sort((a, b) => a - b);
  const points: Point[] = [{ scaling: 'strong', workers: 1, batchSize }];
  for (const scaling of scalings) {
    for (const count of counts.filter((other) => other > 1)) {
      points.push({ scaling, workers: count, batchSize: scaling === 'strong' ? batchSize : batchSize * count });
    }
  }
  return points;
}

/** Numbers of workers to try on so many cores: all, or where these are many, powers of two and all of them. */
export function workerCounts(cores: number): number[] {
  if (cores <= 8) return Array.from({ length: cores }, (_, i) => i + 1);
  const powers = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, i) => 2 ** i);
  return [...new Set([...powers, cores])];
}

/** Rows that an epoch has, where mini-batches are small: an epoch's own cost is then nothing. */
const ROWS = 4096;

/** Mini-batches that there is data for. */
export function mostBatches(batchSize: number): number {
  return Math.min(200, Math.max(4, Math.floor(ROWS / batchSize)));
}

/** Epochs, and mini-batches of each, that come to about so many updates. At least two: the first is not like the others. */
export function epochsFor(updates: number, batchSize: number): { epochs: number; batches: number } {
  const batches = Math.min(mostBatches(batchSize), Math.max(2, Math.round(updates)));
  return { batches, epochs: Math.max(1, Math.round(updates / batches)) };
}
