import { trainingRows } from '../common/validation-split.js';
import { loadData } from '../data/data-sets.js';
import type { Table } from '../data/table.js';
import { unseenClasses } from '../data/target.js';
import { withFlagNames } from './flag-names.js';
import type { Output } from './output.js';
import { count } from './report/format.js';
import type { TaskOptions } from './task-options.js';

/**
 * Loads the data and cuts off the rows for validation, with a warning if training cannot prepare for them.
 *
 * @throws DataError, or UsageError if no row is left to train on.
 */
export async function loadTable(options: TaskOptions, output: Output): Promise<{ table: Table; training: number }> {
  const table = await loadData(options.data, options);
  const training = withFlagNames(() => trainingRows(table.rows, options.validationSplit));
  const { rows, labels } = unseenClasses(table.target, training);
  if (labels.length > 0) {
    const few = `${labels.slice(0, 3).join(', ')}${labels.length > 3 ? ', ...' : ''}`;
    output.error(
      `shardfit: warning: ${count(rows)} of ${count(table.rows - training)} validation rows are of classes that no row for training has (${few}): ` +
        'is the file sorted by class? Mix its rows, or use --validation-split 0',
    );
  }
  return { table, training };
}
