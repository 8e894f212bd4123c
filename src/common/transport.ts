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
export type TransportChoice = (typeof TRANSPORTS)[number];

/** A training, as far as it says what goes between its workers. */
interface Training {
  rule: Pick<UpdateRule, 'kind'>;
  split: Split | 'auto';
  transport: TransportChoice;
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

/** Floats of the slots in which pushed gradients arrive, one for each shard: none where nothing is pushed. */
export function pushedGradients(parameters: ParameterLayout, training: Training, optimizer: Optimizer): number {
  const isPossible = training.transport !== 'pull' && whyNotPushed(parameters, training, optimizer) === undefined;
  return isPossible ? training.shards * parameters.replacedEnd : 0;
}

/** Why gradients cannot be pushed, or that would not be faster; undefined if they can be. */
export function whyNotPushed(
  parameters: ParameterLayout,
  training: Training,
  optimizer: Optimizer,
): string | undefined {
  const { rule, split, workers, shards } = training;
  if (!NON_TEMPORAL_COPY) return `needs Linux on x86-64, got ${process.platform} on ${process.arch}`;
  if (rule.kind !== 'sync')
    return `needs update: 'sync', got update: '${rule.kind}', under which workers share no update`;
  if (split === 'units') return "needs shares of rows, and the model's are of units here: give split: 'rows', too";
  if (workers === 1) return 'needs several workers, got 1';
  const own = ownWeights(parameters, training);
  if (own < FEWEST) return `needs at least ${FEWEST} weights for a worker, got ${own}: take fewer workers`;
  // A worker adds up other blocks of them than it applies.
  if (clipsByNorm(optimizer)) return 'does not go with clipping by norm';
  const floats = shards * parameters.replacedEnd;
  if (floats > MOST_PUSHED)
    return `is for at most ${MOST_PUSHED} numbers in the gradients of all shards, got ${floats}`;
  return undefined;
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
