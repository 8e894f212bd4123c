import type { RunSummary } from '../../index.js';
import { count, counted } from './format.js';

/** "Does batch_size mean that many threads?", answered for this run. */
export function answer(run: RunSummary): string {
  if (run.update === 'local') return localAnswer(run);
  return run.update === 'sync' ? syncAnswer(run) : asynchronousAnswer(run);
}

/** A batch size larger than the data makes one batch of all rows. */
export function batchRows({ rows, batchSize }: RunSummary): number {
  return Math.min(rows, batchSize);
}

/** Whether the workers were simulated, as many as there are shards. */
export function isReplay({ simulatedTime }: RunSummary): boolean {
  return simulatedTime !== undefined;
}

function syncAnswer(run: RunSummary): string {
  const { gradientAccumulationSteps } = run;
  const { sharing, idle } = sharingThreads(run);
  if (gradientAccumulationSteps !== undefined) return accumulatedAnswer(run, gradientAccumulationSteps);
  const update = `Each mini-batch of ${counted(batchRows(run), 'row')} made 1 update of the weights`;
  return sharing === 1
    ? `${update}, computed by 1 thread${idle}: the batch size says how many rows an update averages over, not how many threads run.`
    : `${update}, computed by ${sharing} threads together, each on its share of ${run.split === 'units' ? "the layers' units" : 'those rows'}${idle}: the batch size sets the updates, the threads only the speed.`;
}

function accumulatedAnswer(run: RunSummary, gathered: number): string {
  const { sharing, idle } = sharingThreads(run);
  const update = `Every ${count(gathered)} mini-batches of ${counted(batchRows(run), 'row')} made 1 update of the weights, with the mean of their gradients`;
  const who = sharing === 1 ? '1 thread' : `${sharing} threads together`;
  return `${update}, computed by ${who}${idle}; those left at the end of an epoch made one too. The batch size and the accumulation set the updates, the threads only the speed.`;
}

function asynchronousAnswer(run: RunSummary): string {
  const pieces = Math.min(run.shards, batchRows(run));
  const { sharing, idle } = sharingThreads(run);
  const who = isReplay(run) ? counted(run.shards, 'simulated worker') : `${counted(sharing, 'thread')}${idle}`;
  const made = `Each mini-batch of ${counted(batchRows(run), 'row')} made ${counted(pieces, 'update')} of the weights`;
  if (pieces === 1) return `${made}, by ${who}: with one shard, ${run.update} does what sync does.`;
  const manner = run.update === 'hogwild' ? 'written without locks' : 'applied whole, one at a time';
  return `${made}, one for each shard, ${manner}, by ${who}: ${behind(run)}. That is what a batch size that meant threads would do; sync makes 1.`;
}

/** How old gradients were. */
function behind({ staleness }: RunSummary): string {
  if (!staleness || staleness.max === 0)
    return 'here no update had to be applied to newer weights than it was computed on';
  const mean = staleness.mean.toPrecision(2);
  return `by the time one was applied, ${mean} others had come before it on average (${counted(staleness.max, 'other')} at most), and its gradient was that stale`;
}

function localAnswer(run: RunSummary): string {
  const { syncEvery = 1, updates } = run;
  const replicas = Math.min(run.shards, batchRows(run));
  const { sharing, idle } = sharingThreads(run);
  const step = `Each mini-batch of ${counted(batchRows(run), 'row')} was 1 step for ${counted(replicas, 'replica')} of the weights`;
  const often =
    syncEvery === 1 ? 'after every mini-batch' : `every ${count(syncEvery)} mini-batches and at the end of an epoch`;
  return `${step}, each on its share of those rows, on ${counted(sharing, 'thread')}${idle}; the replicas were averaged ${often}, ${counted(updates, 'time')} in all: only then do they learn from each other.`;
}

/** Threads that had rows to work on, and a remark on the others. */
function sharingThreads(run: RunSummary): { sharing: number; idle: string } {
  const { workers, settled } = run;
  const chosen = settled?.workers ?? workers;
  const sharing = Math.min(chosen, run.shards, run.split === 'units' ? run.shards : batchRows(run));
  if (chosen < workers) return { sharing, idle: ` (which is faster here than all ${workers})` };
  const idle = workers - sharing;
  return { sharing, idle: idle > 0 ? ` (${counted(idle, 'more thread')} had nothing to do)` : '' };
}
