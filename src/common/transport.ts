/**
 * How gradients and new weights get from one worker to the others, where each update is that of all. Pulled: they are read where they
 * were written. Pushed: who has written them sends those who read them a copy, by non-temporal stores. The results are the same.
 */
import { NON_TEMPORAL_COPY } from './non-temporal-copy.js';
import { clipsByNorm } from './norm-blocks.js';
import type { Optimizer } from './optimizers/index.js';
import { LINE, type ParameterLayout } from './parameters.js';
import { piece, type Split } from './shards.js';
import type { UpdateRule } from './update-rules.js';

/** What can be asked for: either, or whichever is faster while training goes on. */
export const TRANSPORTS = ['auto', 'pull', 'push'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** A training, as far as it says what goes between its workers. */
interface Training {
  rule: Pick<UpdateRule, 'kind'>;
  split: Split | 'auto';
  transport: TransportName;
  workers: number;
  shards: number;
}

/** New weights that a worker puts together at a time. */
const AT_A_TIME = 1 << 14;
/** Fewest weights of a worker for which it pays to put them together first, or to push them. */
const FEWEST = 1 << 10;
/** Most weights of a model that stay in the cores' own caches: more are faster written in place. */
const MOST_IN_CACHES = 1 << 19;
/** Most floats of pushed gradients: a quarter of a gibibyte. */
const MOST_PUSHED = 1 << 26;

/**
 * Floats of the memory in which each of at most `workers` workers puts new weights together before they go to where all read
 * them (`Updater`): none where nobody else reads them before the end of a pass, or it would not be faster.
 */
export function stagedWeights(parameters: ParameterLayout, training: Training, optimizer: Optimizer): number {
  const pays = stagesPulled(parameters) || pushedGradients(parameters, training, optimizer) > 0;
  return pays && areShared(parameters, training) ? Math.min(ownWeights(parameters, training), AT_A_TIME) : 0;
}

/** Whether new weights are put together first where others pull them, too. */
export function stagesPulled({ trainedEnd }: Pick<ParameterLayout, 'trainedEnd'>): boolean {
  return trainedEnd <= MOST_IN_CACHES;
}

/**
 * Floats of the slots in which pushed gradients arrive, one for each shard. None where nothing is pushed: where gradients are not shared,
 * or few, or more than would be held twice, or clipped by a norm, for which a worker adds up other parts of them than it applies.
 */
export function pushedGradients(parameters: ParameterLayout, training: Training, optimizer: Optimizer): number {
  const floats = training.shards * parameters.replacedEnd;
  const isPossible = NON_TEMPORAL_COPY !== undefined && floats <= MOST_PUSHED && !clipsByNorm(optimizer);
  return isPossible && training.transport !== 'pull' && areShared(parameters, training) ? floats : 0;
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
