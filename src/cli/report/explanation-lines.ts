import type { BatchSizeRun, Explanation, ThreadsRun } from '../../index.js';
import { count, counted, duration, metric } from './format.js';
import { textTable } from './text-table.js';

/** The answer to "does batch_size mean that many threads?", for people. */
export function explanationLines(explanation: Explanation): string[] {
  return [
    '',
    'Does batch_size mean that many threads updating the weights in parallel?',
    '',
    ...setting(explanation),
    '',
    ...threadsPart(explanation),
    '',
    ...batchSizesPart(explanation),
    '',
    ...answer(explanation),
    '',
    `Counted in ${duration(explanation.seconds)} on ${counted(explanation.cores, 'core')}. Times are of training alone and depend on the machine.`,
  ];
}

function setting({ data, network, optimizer, target, epochs, unscaledLoss }: Explanation): string[] {
  const { learningRate, decay, momentum } = optimizer;
  const unscaled = Number.isFinite(unscaledLoss)
    ? `at a loss of ${metric(unscaledLoss)} of its own squares`
    : `at a loss of ${unscaledLoss}: it diverges`;
  return [
    `Data      ${data.name}: ${count(data.rows)} rows to train on, the last ${count(data.validationRows)} for validation; ${data.features} inputs -> '${data.target}'`,
    `Network   ${network}, squared error; SGD with learning rate ${learningRate}, decay ${decay}, momentum ${momentum}; ${counted(epochs, 'epoch')}`,
    `Target    scaled to mean 0 and deviation 1 (as measured: ${metric(target.mean)} and ${metric(target.deviation)}), so that always`,
    `          guessing the mean has a loss of 1. As measured, the same training ends ${unscaled}.`,
  ];
}

function threadsPart({ oneThread, allThreads, perShard, perShardRepeated, batchSize, workers }: Explanation): string[] {
  const header = [
    '',
    'threads',
    'updates per mini-batch',
    'rows per update',
    'updates in all',
    'loss',
    'time',
    'largest difference',
  ];
  const row = (name: string, { run, ...counts }: ThreadsRun) => [
    name,
    count(run.workers),
    decimal(counts.updatesPerMiniBatch),
    decimal(counts.rowsPerUpdate),
    count(run.updates),
    metric(counts.loss),
    duration(run.seconds),
    difference(counts.largestDifference),
  ];
  const shards = counted(workers, 'shard');
  const equal = allThreads.largestDifference === 0 ? 'the same weights to the last bit' : 'other weights';
  return [
    `1. Threads. Mini-batches of ${counted(batchSize, 'row')}, each cut into ${shards}`,
    '',
    ...textTable(header, [row('sync', oneThread), row('sync', allThreads), row('per-shard', perShard)]),
    '',
    `   sync       ${counted(workers, 'thread')} made as many updates as 1, and ${equal}: threads share the work on a mini-batch.`,
    `   per-shard  every shard updates on its own. ${staleness(perShard)}`,
    `              Told the same twice, two of these trainings differ by ${difference(perShardRepeated)}.`,
    '   The largest difference is that of any weight from the training with 1 thread.',
  ];
}

function staleness({ run }: ThreadsRun): string {
  if (!run.staleness) return '';
  const { mean, max, counts } = run.staleness;
  const fresh = Math.round((100 * (counts[0] ?? 0)) / run.updates);
  return `Staleness: ${decimal(mean)} updates on average, ${count(max)} at most; ${fresh} % were on fresh weights.`;
}

function batchSizesPart({ batchSizes, workers, epochs }: Explanation): string[] {
  const header = ['', 'batch size', 'updates per epoch', 'noise of the gradient', 'loss', 'validation loss', 'time'];
  const row = ({ kind, run, ...counts }: BatchSizeRun) => [
    kind,
    count(run.batchSize),
    count(counts.updatesPerEpoch),
    `${Math.round(100 * counts.gradientNoise)} %`,
    metric(counts.loss),
    metric(counts.validationLoss),
    duration(run.seconds),
  ];
  return [
    `2. Batch sizes. sync with 1 thread, the same ${counted(workers, 'shard')}, ${counted(epochs, 'epoch')} each: all see the same rows as often`,
    '',
    ...textTable(header, batchSizes.map(row)),
    '',
    '   The noise is how far gradients of single mini-batches lie from the gradient of all rows, as a share of its length,',
    '   at the initial weights. More rows: less noise, and fewer updates.',
  ];
}

function answer({ batchSize, allThreads, perShard, workers }: Explanation): string[] {
  return [
    'Answer: no.',
    `  A mini-batch of ${counted(batchSize, 'row')} makes ${counted(allThreads.updatesPerMiniBatch, 'update')} of the weights, by the mean of its gradients, whether 1 thread computes`,
    `  them or ${workers}. batch_size sets how many rows an update averages over, and so how many updates an epoch has.`,
    '  The number of threads is a separate choice, and sets the speed.',
    `  If each of the ${workers} threads did update on its own, that mini-batch would make ${decimal(perShard.updatesPerMiniBatch)} updates, of ${decimal(perShard.rowsPerUpdate)} rows each: another`,
    '  training, with another result.',
  ];
}

function decimal(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function difference(value: number): string {
  return value === 0 ? '0' : value.toPrecision(2);
}
