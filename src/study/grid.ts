import type { UpdateRuleName } from '../common/update-rules.js';

/** Who trains: threads of this machine, or workers that are simulated. */
export interface Crew {
  kind: 'threads' | 'simulated';
  count: number;
}

/** One training of a study. */
export interface StudyPoint {
  rule: UpdateRuleName;
  crew: Crew;
  batchSize: number;
  learningRate: number;
  seed: number;
}

/** The values that a study goes through, each with each. */
export interface Grid {
  rules: UpdateRuleName[];
  batchSizes: number[];
  /** Numbers of threads. */
  workers: number[];
  /** Numbers of simulated workers. */
  virtualWorkers: number[];
  learningRates: number[];
  seeds: number[];
}

/**
 * All trainings of a grid, in the order in which they are run: seed by seed, so that a study that is stopped has compared
 * everything with fewer seeds. One worker alone is trained by one rule: all rules do the same then.
 */
export function pointsOf({ rules, batchSizes, learningRates, seeds, ...crews }: Grid): StudyPoint[] {
  const points: StudyPoint[] = [];
  for (const seed of seeds)
    for (const batchSize of batchSizes)
      for (const crew of crewsOf(crews))
        for (const rule of crew.count === 1 ? rules.slice(0, 1) : rules)
          for (const learningRate of learningRates) points.push({ rule, crew, batchSize, learningRate, seed });
  return points;
}

/** All crews of a grid: threads first. */
export function crewsOf({ workers, virtualWorkers }: Pick<Grid, 'workers' | 'virtualWorkers'>): Crew[] {
  return [
    ...workers.map((count) => ({ kind: 'threads' as const, count })),
    ...virtualWorkers.map((count) => ({ kind: 'simulated' as const, count })),
  ];
}

/** `2 threads`, `16 simulated workers`. */
export function crewName({ kind, count }: Crew): string {
  if (kind === 'simulated') return `${count} simulated`;
  return count === 1 ? '1 thread' : `${count} threads`;
}

/** `per-shard, 2 threads`: what is drawn as one line. */
export function seriesName({ rule, crew }: Pick<StudyPoint, 'rule' | 'crew'>): string {
  return `${rule}, ${crewName(crew)}`;
}

/** `per-shard, 2 threads, batch size 16, learning rate 0.1, seed 0`: tells the trainings of a study apart. */
export function pointName(point: StudyPoint): string {
  const { batchSize, learningRate, seed } = point;
  return `${seriesName(point)}, batch size ${batchSize}, learning rate ${learningRate}, seed ${seed}`;
}
