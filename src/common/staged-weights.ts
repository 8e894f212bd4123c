import { LINE, type ParameterLayout } from './parameters.js';
import { piece, type Split } from './shards.js';
import type { UpdateRule } from './update-rules.js';

/** New weights that a worker puts together at a time. */
const AT_A_TIME = 1 << 14;
/** Fewest weights of a worker for which that pays. */
const FEWEST = 1 << 10;
/** Most weights of a model: more do not stay in the cores' own caches. */
const MOST = 1 << 19;

/**
 * Floats of the memory in which each of at most `workers` workers puts new weights together before it copies them to where all read
 * them: none where nobody else reads them before the end of a pass, or it would not be faster (`Updater`).
 */
export function stagedWeights(
  { trainedEnd }: Pick<ParameterLayout, 'trainedEnd'>,
  { rule, split, workers }: { rule: Pick<UpdateRule, 'kind'>; split: Split | 'auto'; workers: number },
): number {
  const own = piece(trainedEnd / LINE, workers, 0).count * LINE;
  const isShared = rule.kind === 'sync' && split !== 'units' && workers > 1;
  return isShared && own >= FEWEST && trainedEnd <= MOST ? Math.min(own, AT_A_TIME) : 0;
}
