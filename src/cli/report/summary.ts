import type { RunSummary, ThreadSummary } from '../../index.js';
import { answer, batchRows, isReplay } from './answer.js';
import { count, counted, duration, metrics } from './format.js';
import type { EpochResult, Outcome } from './report.js';

/** The end of a run, for people: what was done, what the threads did with their time, and what a mini-batch was here. */
export function summaryLines({ run, kept, weightsSha256, interrupted, diverged, saved }: Outcome): string[] {
  const validation = run.validationRows > 0 ? `, ${count(run.validationRows)} for validation` : '';
  return [
    '',
    ending(interrupted, diverged),
    ...resultLine(run, kept, interrupted),
    `  rows          ${count(run.rows)} for training${validation}`,
    `  mini-batches  ${count(run.miniBatches)} an epoch, of ${counted(batchRows(run), 'row')}${lastBatch(run)}`,
    `  update rule   ${run.update}${howOften(run)}`,
    `  updates       ${count(run.updates)} in ${counted(run.epochs, 'epoch')}`,
    ...stalenessLine(run),
    ...run.warnings.map((warning) => `  note          ${warning}`),
    `  threads       ${threads(run)}, each mini-batch ${sharedHow(run)}`,
    `  speed         ${count(run.samplesPerSecond)} samples/s, ${duration(run.seconds)} in all`,
    ...run.threads.map(threadLine),
    `  weights       sha256 ${weightsSha256}`,
    ...(saved === undefined ? [] : [`  saved to      ${saved}`]),
    '',
    answer(run),
  ];
}

function ending(interrupted: boolean, diverged: boolean): string {
  if (diverged) return 'Training diverged.';
  return interrupted ? 'Stopped early, after a whole update.' : 'Done.';
}

/** Loss and metrics of the epoch whose weights were kept; after Ctrl-C, of the last whole epoch before them. */
function resultLine({ epochs }: RunSummary, kept: EpochResult | undefined, interrupted: boolean): string[] {
  if (!kept) return [];
  const isLast = kept.epoch + 1 === epochs;
  const which = isLast ? '' : `   ${interrupted ? 'after' : 'in'} epoch ${kept.epoch + 1}`;
  return [`  result        ${metrics(kept.logs)}${which}`];
}

function lastBatch({ rows, batchSize }: RunSummary): string {
  const last = rows % batchSize;
  return last === 0 || rows < batchSize ? '' : `, the last one of ${last}`;
}

function sharedHow(run: RunSummary): string {
  if (run.shards === 1) return 'left whole';
  if (run.split === 'units') return `shared by ${run.shards} shards of the layers' units`;
  return `cut into ${counted(run.shards, 'shard')}${isReplay(run) ? ', one for each simulated worker' : ''}`;
}

/** How many threads trained, after the first mini-batches where `auto` tried several numbers. */
function threads({ workers, settled }: RunSummary): string {
  if (settled?.tried.length === 0) return `${count(workers)}: for mini-batches as small as these, more would be slower`;
  if (!settled || settled.workers === workers) return count(workers);
  return `${count(settled.workers)} of ${count(workers)}, which was faster in the first mini-batches`;
}

function howOften({ syncEvery, gradientAccumulationSteps }: RunSummary): string {
  const every = (n: number) => `every ${counted(n, 'mini-batch', 'mini-batches')}`;
  if (gradientAccumulationSteps !== undefined) return `, an update ${every(gradientAccumulationSteps)}`;
  return syncEvery === undefined ? '' : `, averaged ${every(syncEvery)}`;
}

/** Of rules in which shards update on their own. */
function stalenessLine({ staleness }: RunSummary): string[] {
  if (!staleness) return [];
  const { mean, max, maxLead } = staleness;
  const ahead = `the fastest worker at most ${counted(maxLead, 'mini-batch', 'mini-batches')} ahead`;
  return [`  staleness     ${mean.toFixed(2)} updates on average, ${count(max)} at most; ${ahead}`];
}

function threadLine({ rank, ...time }: ThreadSummary): string {
  const { computeSeconds, waitSeconds, exchangeSeconds, reduceSeconds, gatherSeconds } = time;
  const total = computeSeconds + waitSeconds + exchangeSeconds + reduceSeconds + gatherSeconds;
  const share = (seconds: number) => `${total > 0 ? Math.round((100 * seconds) / total) : 0} %`.padStart(5);
  const parts = [
    `compute ${share(computeSeconds)}`,
    `wait ${share(waitSeconds)}`,
    // Only where shards exchange anything in the middle of a step, or gradients are pushed: in more than a few trials.
    ...(exchangeSeconds > 0.005 * total ? [`exchange ${share(exchangeSeconds)}`] : []),
    `reduce ${share(reduceSeconds)}`,
    `gather ${share(gatherSeconds)}`,
  ];
  return `  thread ${String(rank).padEnd(6)} ${parts.join('   ')}   of ${duration(total)}`;
}
