/** How new weights and gradients get from one worker to the others, where workers share each update. */
import { clipsByNorm } from './norm-blocks.js';
import type { Optimizer } from './optimizers/index.js';
import { LINE, type ParameterLayout } from './parameters.js';
import { piece, type Split } from './shards.js';
import type { UpdateRule } from './update-rules.js';

/** What tells whether workers read what others write between two updates. */
interface Training {
  rule: Pick<UpdateRule, 'kind'>;
  split: Split | 'auto';
  workers: number;
  shards: number;
}

/** New weights that a worker puts together at a time. */
const AT_A_TIME = 1 << 14;
/** Fewest weights of a worker for which it pays to put them together first, or to stream them. */
const FEWEST = 1 << 10;
/** Most weights of a model that stay in the cores' own caches: more are faster written in place. */
const MOST_IN_CACHES = 1 << 19;
/** Whether there are instructions for it (`worker/streaming-copy`). */
const CAN_STREAM = process.platform === 'linux' && process.arch === 'x64';
/** Most floats of streamed gradients: a quarter of a gibibyte. */
const MOST_STREAMED = 1 << 26;

/**
 * Floats of the memory in which each of at most `workers` workers puts new weights together before they go to where all read
 * them (`Updater`): none where nobody else reads them before the end of a pass, or it would not be faster.
 */
export function stagedWeights(parameters: ParameterLayout, training: Training, optimizer: Optimizer): number {
  const pays = staysInCaches(parameters) || streamedGradients(parameters, training, optimizer) > 0;
  return pays && areShared(parameters, training) ? Math.min(ownWeights(parameters, training), AT_A_TIME) : 0;
}

/** Whether new weights are put together first where they are not streamed, too. */
export function staysInCaches({ trainedEnd }: Pick<ParameterLayout, 'trainedEnd'>): boolean {
  return trainedEnd <= MOST_IN_CACHES;
}

/**
 * Floats of the slots in which gradients arrive that workers stream to those who add them up (`Streams`), one for each shard: none where they are not
 * shared, or few, or so many that two copies of them would be too much, or clipped by a norm, for which other workers add them up than apply them.
 */
export function streamedGradients(parameters: ParameterLayout, training: Training, optimizer: Optimizer): number {
  const floats = training.shards * parameters.replacedEnd;
  const pays = CAN_STREAM && floats <= MOST_STREAMED && !clipsByNorm(optimizer);
  return pays && areShared(parameters, training) ? floats : 0;
}

function areShared(parameters: Pick<ParameterLayout, 'trainedEnd'>, training: Training): boolean {
  const { rule, split, workers } = training;
  return rule.kind === 'sync' && split !== 'units' && workers > 1 && ownWeights(parameters, training) >= FEWEST;
}

/** Of the worker that has most. */
function ownWeights(
  { trainedEnd }: Pick<ParameterLayout, 'trainedEnd'>,
  { workers }: Pick<Training, 'workers'>,
): number {
  return piece(trainedEnd / LINE, workers, 0).count * LINE;
}
