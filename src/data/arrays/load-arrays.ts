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
  if (formatOf(path) === 'npz') {
    const { xKey = 'x', yKey = 'y' } = choice;
    const names = [
      { key: xKey, flag: '--x-key' },
      { key: yKey, flag: '--y-key' },
    ];
    const [x, y] = (await loadNpz(path, names)) as [ArrayData, ArrayData];
    return tableOfArrays(path, x, y, task);
  }
  if (choice.labels === undefined) {
    throw new DataChoiceError(`${path} holds rows without labels; name the file of the labels with --labels`);
  }
  const x = await loadArray(path);
  return tableOfArrays(path, x, await loadLabels(choice.labels), task);
}

/** The one array of an .npy or IDX file. */
export function loadArray(path: string): Promise<ArrayData> {
  return formatOf(path) === 'idx' ? loadIdx(path) : loadNpy(path);
}

function loadLabels(path: string): Promise<ArrayData> {
  const format = formatOf(path);
  if (format === 'npy' || format === 'idx') return loadArray(path);
  throw new DataChoiceError(
    `--labels ${path} must be an .npy or IDX file, such as labels.npy or train-labels-idx1-ubyte.gz`,
  );
}
