import { comparedLoss, type StudyRecord } from '../record.js';
import type { StudyResults } from '../results.js';

type Cell = string | number | null | undefined;

/** One line for each training. A loss that is not finite, and what a rule does not have, is left empty. */
export function studyCsv(results: StudyResults): string {
  const names = [...new Set(results.records.flatMap(({ final }) => Object.keys(final)))];
  const rows = results.records.map((record) => ({
    ...columnsOf(record),
    ...arrivalOf(record, results),
    ...finals(record, names),
  }));
  const header = Object.keys(rows[0] ?? {});
  const lines = [header, ...rows.map((row) => Object.values(row).map(cell))];
  return `${lines.map((line) => line.join(',')).join('\n')}\n`;
}

function columnsOf({ point, ...record }: StudyRecord): Record<string, Cell> {
  const { rule, crew, batchSize, learningRate, seed } = point;
  const { staleness } = record;
  return {
    rule,
    threads: crew.kind === 'threads' ? crew.count : undefined,
    simulated_workers: crew.kind === 'simulated' ? crew.count : undefined,
    batch_size: batchSize,
    learning_rate: learningRate,
    seed,
    rows: record.rows,
    epochs: record.curve.length,
    mini_batches_per_epoch: record.miniBatches,
    updates: record.updates,
    seconds: record.seconds,
    simulated_time: record.simulatedTime,
    staleness_mean: staleness?.mean,
    staleness_max: staleness?.max,
    lead_max: staleness?.maxLead,
  };
}

function arrivalOf({ curve }: StudyRecord, { target }: StudyResults): Record<string, Cell> {
  const point = curve.find((candidate) => comparedLoss(candidate) <= target);
  return {
    target_loss: target,
    updates_to_target: point?.updates,
    rows_to_target: point?.rows,
    seconds_to_target: point?.seconds,
  };
}

function finals({ final }: StudyRecord, names: string[]): Record<string, Cell> {
  return Object.fromEntries(names.map((name) => [`final_${name}`, final[name]]));
}

function cell(value: Cell): string {
  return value === undefined || value === null || Number.isNaN(value) ? '' : String(value);
}
