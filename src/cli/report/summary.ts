import type { RunSummary, ThreadSummary } from '../../index.js';
import { count, counted, duration } from './format.js';
import type { Outcome } from './report.js';

/** The end of a run, for people: what was done, what the threads did with their time, and what a mini-batch was here. */
export function summaryLines({ run, weightsSha256, interrupted, saved }: Outcome): string[] {
  const validation = run.validationRows > 0 ? `, ${count(run.validationRows)} for validation` : '';
  return [
    '',
    interrupted ? 'Stopped early, after a whole update.' : 'Done.',
    `  rows          ${count(run.rows)} for training${validation}`,
    `  mini-batches  ${count(run.miniBatches)} an epoch, of ${counted(batchRows(run), 'row')}${lastBatch(run)}`,
    `  updates       ${count(run.updates)} in ${counted(run.epochs, 'epoch')}`,
    `  threads       ${count(run.workers)}, each mini-batch cut into ${counted(run.shards, 'shard')}`,
    `  speed         ${count(run.samplesPerSecond)} samples/s, ${duration(run.seconds)} in all`,
    ...run.threads.map(threadLine),
    `  weights       sha256 ${weightsSha256}`,
    ...(saved === undefined ? [] : [`  saved to      ${saved}`]),
    '',
    answer(run),
  ];
}

/** A batch size larger than the data makes one batch of all rows. */
function batchRows({ rows, batchSize }: RunSummary): number {
  return Math.min(rows, batchSize);
}

function lastBatch({ rows, batchSize }: RunSummary): string {
  const last = rows % batchSize;
  return last === 0 || rows < batchSize ? '' : `, the last one of ${last}`;
}

function threadLine({ rank, computeSeconds, waitSeconds, reduceSeconds, gatherSeconds }: ThreadSummary): string {
  const total = computeSeconds + waitSeconds + reduceSeconds + gatherSeconds;
  const share = (seconds: number) => `${total > 0 ? Math.round((100 * seconds) / total) : 0} %`.padStart(5);
  const parts = [
    `compute ${share(computeSeconds)}`,
    `wait ${share(waitSeconds)}`,
    `reduce ${share(reduceSeconds)}`,
    `gather ${share(gatherSeconds)}`,
  ];
  return `  thread ${String(rank).padEnd(6)} ${parts.join('   ')}   of ${duration(total)}`;
}

/** "Does batch_size mean that many threads?", answered for this run. */
export function answer(run: RunSummary): string {
  const { workers, shards } = run;
  const size = batchRows(run);
  const sharing = Math.min(workers, shards, size);
  const idle = workers > sharing ? ` (${counted(workers - sharing, 'more thread')} had nothing to do)` : '';
  const update = `Each mini-batch of ${counted(size, 'row')} made 1 update of the weights`;
  return sharing === 1
    ? `${update}, computed by 1 thread${idle}: the batch size says how many rows an update averages over, not how many threads run.`
    : `${update}, computed by ${sharing} threads together, each on its share of those rows${idle}: the batch size sets the updates, the threads only the speed.`;
}
