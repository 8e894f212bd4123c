import { type Crew, crewsOf, type StudyPoint, seriesName } from './grid.js';
import type { StudyPlan } from './plan.js';
import { type CurvePoint, comparedLoss, finalLoss, type StudyRecord } from './record.js';

/** What is drawn as one line: a rule, and who trained by it. */
export interface Series {
  name: string;
  rule: StudyPoint['rule'];
  crew: Crew;
}

/** A mean over seeds of how far trainings were when they reached the target. */
export interface Arrival {
  /** Trainings that reached it, of how many. */
  reached: number;
  of: number;
  /** Means over those that reached it; NaN if none did. */
  updates: number;
  rows: number;
  seconds: number;
  simulatedTime: number;
}

/** A rule, who trained by it, and a batch size, with the learning rate that suits them best: what its trainings came to, one for each seed. */
export interface Comparison {
  series: Series;
  batchSize: number;
  learningRate: number;
  /** Mean of the compared loss after the last epoch; NaN if it is not finite. */
  loss: number;
  /** Mean number of updates. */
  updates: number;
  /** Mean seconds of training. */
  seconds: number;
  arrival: Arrival;
}

/** What the trainings of a study say together. */
export class StudyResults {
  readonly plan: StudyPlan;
  readonly records: StudyRecord[];
  /** Trainings of the whole grid; more than `records` if the study was stopped. */
  readonly total: number;
  /** Loss whose time of arrival is compared. */
  readonly target: number;
  readonly series: Series[];

  constructor(plan: StudyPlan, records: StudyRecord[], total: number, target?: number) {
    this.plan = plan;
    this.records = records;
    this.total = total;
    this.target = target ?? reachedByHalf(records);
    this.series = seriesOf(plan, records);
  }

  /** Whether the losses are those of the validation rows. */
  get validated(): boolean {
    return this.records.some(({ curve }) => curve.some(({ validationLoss }) => validationLoss !== undefined));
  }

  /** Trainings of a series by a batch size, and by a learning rate if one is given: one for each seed. */
  recordsOf({ name }: Series, batchSize: number, learningRate?: number): StudyRecord[] {
    return this.records.filter(
      ({ point }) =>
        seriesName(point) === name &&
        point.batchSize === batchSize &&
        (learningRate === undefined || point.learningRate === learningRate),
    );
  }

  /** Trainings by the learning rate whose mean final loss is lowest; none if nothing was trained. */
  best(series: Series, batchSize: number): { learningRate: number; records: StudyRecord[] } | undefined {
    const rates = this.plan.learningRates
      .map((learningRate) => ({ learningRate, records: this.recordsOf(series, batchSize, learningRate) }))
      .filter(({ records }) => records.length > 0);
    const lossOf = ({ records }: { records: StudyRecord[] }) => orInfinity(mean(records.map(finalLoss)));
    return rates.sort((a, b) => lossOf(a) - lossOf(b))[0];
  }

  /** All that was trained, each by the learning rate that suits it best; in the order of the plan. */
  comparisons(): Comparison[] {
    return this.series.flatMap((series) =>
      this.plan.batchSizes.flatMap((batchSize) => {
        const best = this.best(series, batchSize);
        if (!best) return [];
        const { learningRate, records } = best;
        return {
          ...{ series, batchSize, learningRate },
          loss: mean(records.map(finalLoss)),
          updates: mean(records.map(({ updates }) => updates)),
          seconds: mean(records.map(({ seconds }) => seconds)),
          arrival: this.arrival(records),
        };
      }),
    );
  }

  /** When trainings first reached the target, looked at after every epoch. */
  arrival(records: StudyRecord[]): Arrival {
    const first = records.map(({ curve }) => curve.find((point) => comparedLoss(point) <= this.target));
    const reached = first.filter((point) => point !== undefined);
    const meanOf = (value: (point: CurvePoint) => number | undefined) =>
      mean(reached.map((p) => value(p) ?? Number.NaN));
    return {
      reached: reached.length,
      of: records.length,
      updates: meanOf(({ updates }) => updates),
      rows: meanOf(({ rows }) => rows),
      seconds: meanOf(({ seconds }) => seconds),
      simulatedTime: meanOf(({ simulatedTime }) => simulatedTime),
    };
  }
}

/** Means over trainings, epoch by epoch, with the compared loss in `loss`. Empty if there are none. */
export function meanCurve(
  records: StudyRecord[],
): Required<Omit<CurvePoint, 'validationLoss' | 'loss'> & { loss: number }>[] {
  const epochs = records.length === 0 ? 0 : Math.min(...records.map(({ curve }) => curve.length));
  return Array.from({ length: epochs }, (_, epoch) => {
    const points = records.map(({ curve }) => curve[epoch] as CurvePoint);
    return {
      updates: mean(points.map(({ updates }) => updates)),
      rows: mean(points.map(({ rows }) => rows)),
      seconds: mean(points.map(({ seconds }) => seconds)),
      simulatedTime: mean(points.map(({ simulatedTime }) => simulatedTime ?? Number.NaN)),
      loss: mean(points.map(comparedLoss)),
    };
  });
}

/** NaN if there is none. */
export function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function orInfinity(value: number): number {
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

/** The median of the lowest losses: half of the trainings come as low. */
function reachedByHalf(records: StudyRecord[]): number {
  const lowest = records
    .map(({ curve }) => Math.min(...curve.map((point) => orInfinity(comparedLoss(point)))))
    .sort((a, b) => a - b);
  return lowest[Math.floor((lowest.length - 1) / 2)] ?? Number.NaN;
}

/** The series of the plan that have been trained, rule by rule. */
function seriesOf(plan: StudyPlan, records: StudyRecord[]): Series[] {
  const trained = new Set(records.map(({ point }) => seriesName(point)));
  return plan.rules
    .flatMap((rule) => crewsOf(plan).map((crew) => ({ name: seriesName({ rule, crew }), rule, crew })))
    .filter(({ name }) => trained.has(name));
}
