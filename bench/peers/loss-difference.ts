/** The losses of one contender's first updates, and what it takes batch statistics over. */
export interface Losses {
  name: string;
  peer: boolean;
  statistics: 'batch' | 'shard';
  losses: number[];
}

export interface LossDifference {
  name: string;
  /** Whose losses these were compared with. */
  reference: string;
  updates: number;
  /** Largest difference of a loss, relative to the reference's. */
  worst: number;
}

/** Relative difference of losses that is still rounding: float32 has 7 digits, and updates carry differences on. */
export const TOLERANCE = 1e-4;

/**
 * Compares everybody's losses with those of our first with the same statistics. Where none of ours has them they make no
 * difference: then with those of the first of all.
 */
export function differences(all: Losses[]): LossDifference[] {
  return all.flatMap((own) => {
    const reference = all.find(({ peer, statistics }) => !peer && statistics === own.statistics) ?? all[0];
    if (!reference || reference === own) return [];
    return [{ name: own.name, reference: reference.name, ...worstOf(own.losses, reference.losses) }];
  });
}

function worstOf(losses: number[], reference: number[]): Pick<LossDifference, 'updates' | 'worst'> {
  const updates = Math.min(losses.length, reference.length);
  const relative = losses.slice(0, updates).map((loss, i) => {
    const other = reference[i] as number;
    return Math.abs(loss - other) / Math.max(Math.abs(other), 1e-12);
  });
  // A loss that is not a number differs from all.
  const worst = relative.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...relative);
  return { updates, worst };
}
