import { DataChoiceError } from '../data-error.js';
import { formatOf } from '../data-format.js';
import type { Table, Task } from '../table.js';
import type { ArrayData } from './array-data.js';
import { tableOfArrays } from './array-table.js';
import { loadIdx } from './idx.js';
import { loadNpy } from './npy.js';
import { loadNpz } from './npz.js';

/** Where the arrays are. */
export interface ArrayChoice {
  /** File of the labels, beside an .npy or IDX file of rows. */
  labels?: string | undefined;
  /** Names of the two arrays in an .npz file. Default: x and y. */
  xKey?: string | undefined;
  yKey?: string | undefined;
}

/**
 * Loads rows and labels from array files.
 *
 * @throws DataError that says what is wrong with which file; DataChoiceError if one is not named.
 */
export async function loadArrays(path: string, choice: ArrayChoice, task?: Task): Promise<Table> {
  const [x, y] = await loadRowsAndLabels(path, choice);
  return tableOfArrays(path, x, y, task);
}

/** The rows and, for each, what is to be predicted. Throws as {@link loadArrays}. */
export async function loadRowsAndLabels(path: string, choice: ArrayChoice): Promise<[ArrayData, ArrayData]> {
  const { labels, xKey = 'x', yKey = 'y' } = choice;
  if (formatOf(path) === 'npz') {
    const names = [
      { key: xKey, flag: '--x-key' },
      { key: yKey, flag: '--y-key' },
    ];
    return (await loadNpz(path, names)) as [ArrayData, ArrayData];
  }
  if (labels === undefined) {
    throw new DataChoiceError(`${path} holds rows without labels; name the file of the labels with --labels`);
  }
  return [await loadRows(path, choice), await loadLabels(labels)];
}

/** The rows alone. Throws as {@link loadArrays}. */
export async function loadRows(path: string, { xKey = 'x' }: ArrayChoice): Promise<ArrayData> {
  switch (formatOf(path)) {
    case 'npz':
      return (await loadNpz(path, [{ key: xKey, flag: '--x-key' }]))[0] as ArrayData;
    case 'idx':
      return loadIdx(path);
    default:
      return loadNpy(path);
  }
}

function loadLabels(path: string): Promise<ArrayData> {
  const format = formatOf(path);
  if (format === 'npy' || format === 'idx') return loadRows(path, {});
  throw new DataChoiceError(
    `--labels ${path} must be an .npy or IDX file, such as labels.npy or train-labels-idx1-ubyte.gz`,
  );
}
