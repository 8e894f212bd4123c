import { DataChoiceError } from './data-error.js';
import type { DataFormat } from './data-format.js';
import type { Task } from './table.js';

/** What is said about data beside its name. */
export interface DataOptions {
  /** Column to predict: required for a table in a file; a built-in data set has its own. */
  target?: string;
  /** What the target is; by default the data tells, see `readTarget`. */
  task?: Task;
  /** File of the labels, for rows in an .npy or IDX file. */
  labels?: string;
  /** Name of the array of rows in an .npz file. Default: x. */
  xKey?: string;
  /** Name of the array of labels in an .npz file. Default: y. */
  yKey?: string;
  /** Ends the reading of a table. */
  signal?: AbortSignal;
}

const FLAGS = { target: '--target', labels: '--labels', xKey: '--x-key', yKey: '--y-key' } as const;
type Flag = keyof typeof FLAGS;

const TAKEN: Record<DataFormat, readonly Flag[]> = {
  csv: ['target'],
  parquet: ['target'],
  npy: ['labels'],
  npz: ['xKey', 'yKey'],
  idx: ['labels'],
};

/** @throws DataChoiceError for an option that belongs to data of another format. */
export function checkDataOptions(path: string, format: DataFormat, options: DataOptions): void {
  const taken = TAKEN[format];
  const stray = (Object.keys(FLAGS) as Flag[]).find((name) => options[name] !== undefined && !taken.includes(name));
  if (stray === undefined) return;
  const right = taken.map((name) => FLAGS[name]).join(' and ');
  throw new DataChoiceError(
    `${FLAGS[stray]} does not go with ${path}; ${taken.includes('target') ? 'a table' : `an ${format} file`} takes ${right}`,
  );
}
