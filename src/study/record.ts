import type { StalenessSummary } from '../coordinator/run-summary.js';
import type { StudyPoint } from './grid.js';

/** Where a training stood at the end of an epoch. */
export interface CurvePoint {
  updates: number;
  rows: number;
  /** Seconds of training. */
  seconds: number;
  /** Of simulated workers, in units of one row's mean time. */
  simulatedTime?: number;
  /** Loss while training, and on the validation rows after the epoch; null if it is not finite. */
  loss: number | null;
  validationLoss?: number | null;
}

/** What came of one training: a line of the journal. */
export interface StudyRecord {
  point: StudyPoint;
  rows: number;
  updates: number;
  seconds: number;
  miniBatches: number;
  simulatedTime?: number;
  staleness?: StalenessSummary;
  /** One for each epoch. */
  curve: CurvePoint[];
  /** Loss and metrics of the last epoch by their names; null where not finite. */
  final: Record<string, number | null>;
}

/** The loss that trainings are compared by: on the validation rows where there are any. NaN if it is not finite. */
export function comparedLoss({ loss, validationLoss }: CurvePoint): number {
  return (validationLoss === undefined ? loss : validationLoss) ?? Number.NaN;
}

/** The compared loss after the last epoch. */
export function finalLoss({ curve }: StudyRecord): number {
  const last = curve.at(-1);
  return last ? comparedLoss(last) : Number.NaN;
}
