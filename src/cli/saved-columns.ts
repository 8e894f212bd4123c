import type { SavedModel } from '../saved-model/load-model.js';
import type { Preprocessing } from '../saved-model/preprocessing.js';
import { UsageError } from './usage-error.js';

/** @throws UsageError if the model was saved without what its rows must go through. */
export function savedColumns(folder: string, { preprocessing }: SavedModel): Preprocessing {
  if (preprocessing) return preprocessing;
  throw new UsageError(`the model in ${folder} was saved without its columns: save it with shardfit train --save`);
}
