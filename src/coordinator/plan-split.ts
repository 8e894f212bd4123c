/** What the shards of a mini-batch share, how many of them there are, and how many workers: from the model alone. */
import type * as tf from '@tensorflow/tfjs';
import { clipsByNorm } from '../common/norm-blocks.js';
import type { WeightCut } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import { NotPartitionable, type StepCompiler } from '../compiler/index.js';
import { describeCompiled } from './optimizer-state.js';
import type { ResolvedOptions } from './options.js';

export interface SplitPlan {
  shards: number;
  workers: number;
  /** Whether it remains to be seen if fewer workers would be faster. */
  triesWorkers: boolean;
  /** Set where shards share units: which weights are cut. */
  cut?: WeightCut;
}

/** All workers are taken for the fastest, without a trial, where fewer are expected to take this many times as long. */
const SURE = 4 / 3;

/** Why shards cannot share units under these options; undefined if they can. */
export function whyNotUnits(
  model: tf.LayersModel,
  options: ResolvedOptions,
  constraint: readonly StepProgram[],
): string | undefined {
  const { rule, batchStatistics, speeds } = options;
  if (rule.kind !== 'sync') return "needs update: 'sync'";
  if (speeds) return 'does not go with virtualWorkers, which have a shard of the rows each';
  if (batchStatistics === 'shard') return "does not go with batchStatistics: 'shard': its shards have all rows";
  if (clipsByNorm(options.optimizer ?? describeCompiled(model.optimizer))) return 'does not go with clipping by norm';
  if (constraint.length > 0) return "does not go with constraints of weights, which need all of a layer's units";
  return undefined;
}

/**
 * Decides by what is expected to be fastest, the same on every machine with as many cores.
 *
 * @param batchRows rows of a mini-batch.
 * @param obstacle why shards cannot share units, if they cannot: see `whyNotUnits`.
 * @throws TypeError if units are asked for and cannot be had.
 */
export function planSplit(
  compiler: StepCompiler,
  options: ResolvedOptions,
  batchRows: number,
  obstacle: string | undefined,
): SplitPlan {
  const { split, shards, workers, triesWorkers, choosesShards } = options;
  if (split === 'units' && obstacle !== undefined) throw new TypeError(`split: 'units' ${obstacle}`);
  const mayCutUnits = split !== 'rows' && obstacle === undefined && shards > 1;
  const rowsTime = (count: number): number => compiler.expectedTime(batchRows, Math.min(count, batchRows));
  const best = mayCutUnits ? fastestUnits(compiler, batchRows, options, rowsTime(shards)) : undefined;
  if (best) {
    if (choosesShards && split === 'auto' && best.time >= rowsTime(1)) return { shards: 1, workers: 1, triesWorkers };
    const used = choosesShards ? Math.min(workers, best.cut.shards) : workers;
    const isSure = rowsTime(1) >= SURE * best.time;
    return { shards: best.cut.shards, workers: used, triesWorkers: triesWorkers && !isSure, cut: best.cut };
  }
  if (!triesWorkers) return { shards, workers, triesWorkers };
  if (choosesShards && rowsTime(workers) >= rowsTime(1)) return { shards: 1, workers: 1, triesWorkers };
  return { shards, workers, triesWorkers: rowsTime(Math.floor(workers / 2)) < SURE * rowsTime(workers) };
}

/** All, half of them, and so on down to 2. */
function halvings(count: number): number[] {
  return count < 2 ? [] : [count, ...halvings(Math.floor(count / 2))];
}

/** The cut along units that is expected to be faster than `rowsTime`, or the one that was asked for. */
function fastestUnits(
  compiler: StepCompiler,
  batchRows: number,
  { split, shards, choosesShards }: ResolvedOptions,
  rowsTime: number,
): { cut: WeightCut; time: number } | undefined {
  let best: { cut: WeightCut; time: number } | undefined;
  let failure: unknown;
  for (const count of choosesShards ? halvings(shards) : [shards]) {
    try {
      const { cut, expectedTime: time } = compiler.compileUnits(batchRows, count);
      if (cut.axes.size > 0 && time < (best?.time ?? (split === 'units' ? Number.POSITIVE_INFINITY : rowsTime)))
        best = { cut, time };
    } catch (error) {
      if (!(error instanceof NotPartitionable)) throw error;
      failure = error;
    }
  }
  if (best || split === 'auto') return best;
  const why = failure
    ? (failure as Error).message
    : `no layer has units that ${shards} shards could share: shards must divide the units of a layer`;
  throw new TypeError(`split: 'units' cannot cut this model: ${why}`);
}
