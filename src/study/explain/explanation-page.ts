import { barPanel } from '../page/bar-panel.js';
import type { Figure } from '../page/figure.js';
import { grouped, short } from '../page/numbers.js';
import { renderPage } from '../page/render.js';
import { quantile, stalenessPanel } from '../page/staleness-panel.js';
import { bars, type Drawn, legendOf, lossPanel } from './drawn.js';
import type { BatchSizeRun, Explanation, ThreadsRun } from './explanation.js';

/** The answer as one self-contained page. */
export function explanationPage(explanation: Explanation): string {
  const threads = threadsOf(explanation);
  return renderPage({
    title: 'Does batch_size mean that many threads updating the weights in parallel?',
    lead: [
      'No. One mini-batch makes one update of the weights, by the mean of the gradients of its rows. How many threads compute them is ' +
        'a separate choice, which changes the speed and not the result. Every number below was counted or measured in one run of shardfit explain.',
    ],
    facts: factsOf(explanation),
    findings: findingsOf(explanation),
    figures: [threadsFigure(threads), stalenessFigure(explanation), sizesFigure(sizesOf(explanation))],
  });
}

function threadsOf({ oneThread, allThreads, perShard, workers }: Explanation): Drawn<ThreadsRun>[] {
  const sync = { colour: 'sync', mark: 'circle' } as const;
  return [
    { name: 'sync, 1 thread', ...sync, dashes: [], run: oneThread },
    { name: `sync, ${workers} threads`, ...sync, dashes: [3, 5], run: allThreads },
    { name: `per-shard, ${workers} threads`, colour: 'per-shard', mark: 'triangle', dashes: [], run: perShard },
  ];
}

function sizesOf({ batchSizes }: Explanation): Drawn<BatchSizeRun>[] {
  const looks = [
    { colour: 'per-shard', mark: 'triangle' },
    { colour: 'sync', mark: 'circle' },
    { colour: 'local', mark: 'diamond' },
  ] as const;
  return batchSizes.map((run, index) => ({
    name: `${run.kind} (${grouped(run.run.batchSize)})`,
    ...(looks[index % looks.length] as (typeof looks)[number]),
    dashes: [],
    run,
  }));
}

function factsOf({ data, network, optimizer, target, epochs, ...rest }: Explanation): [string, string][] {
  const { learningRate, decay, momentum } = optimizer;
  const unscaled = `As measured, the same training ends at a loss of ${Number.isFinite(rest.unscaledLoss) ? short(rest.unscaledLoss) : 'NaN: it diverges'}.`;
  return [
    [
      'Data',
      `${data.name}: ${data.rows} rows to train on, ${data.validationRows} for validation; ${data.features} inputs`,
    ],
    [
      'Network',
      `${network}, squared error; SGD with learning rate ${learningRate}, decay ${decay}, momentum ${momentum}`,
    ],
    [
      'Target',
      `${data.target}, scaled from mean ${short(target.mean, 4)} and deviation ${short(target.deviation, 4)} to 0 and 1, so that guessing the mean has a loss of 1. ${unscaled}`,
    ],
    ['Mini-batch', `${rest.batchSize} rows, cut into ${rest.workers} shards; ${epochs} epochs; seed ${rest.seed}`],
    ['Machine', `${rest.cores} cores`],
  ];
}

function findingsOf({ allThreads, perShard, perShardRepeated, workers, batchSizes }: Explanation): string[] {
  const same = allThreads.largestDifference === 0 ? 'the same weights to the last bit' : 'other weights';
  const { staleness } = perShard.run;
  return [
    `sync with ${workers} threads made ${short(allThreads.updatesPerMiniBatch)} update for each mini-batch, as 1 thread did, and ended at ${same}.`,
    `per-shard made ${short(perShard.updatesPerMiniBatch)} updates for each, on ${short(perShard.rowsPerUpdate)} rows on average, and ended elsewhere: weights differ by up to ${short(perShard.largestDifference, 2)}. Told the same twice, two of these trainings differ by up to ${short(perShardRepeated, 2)}.`,
    `Its updates were ${short(staleness?.mean ?? 0, 2)} updates stale on average, and ${staleness?.max ?? 0} at most.`,
    `An epoch has ${batchSizes.map(({ updatesPerEpoch, run }) => `${grouped(updatesPerEpoch)} updates with batch size ${grouped(run.batchSize)}`).join(', ')}.`,
  ];
}

function threadsFigure(drawn: Drawn<ThreadsRun>[]): Figure {
  return {
    title: 'Threads: one update for each mini-batch, or one for each shard',
    caption:
      'The same rows, the same initial weights, the same mini-batches. Look at the two lines of sync: they are one line, since threads ' +
      'only share the work. per-shard is another training: it makes an update for each shard.',
    legend: legendOf(drawn),
    panels: [
      lossPanel(drawn),
      barPanel(
        'Updates for each mini-batch',
        'updates',
        bars(drawn, (run) => run.updatesPerMiniBatch),
      ),
      barPanel(
        'Largest difference from 1 thread',
        'difference of a weight',
        bars(drawn, (run) => run.largestDifference),
      ),
    ],
    table: {
      header: [
        '',
        'threads',
        'updates for each mini-batch',
        'rows for each update',
        'updates in all',
        'training loss',
        'validation loss',
        'largest difference of a weight',
        'seconds',
      ],
      rows: drawn.map(({ name, run }) => [
        name,
        String(run.run.workers),
        short(run.updatesPerMiniBatch),
        short(run.rowsPerUpdate),
        grouped(run.run.updates),
        short(run.loss),
        short(run.validationLoss),
        short(run.largestDifference),
        short(run.run.seconds),
      ]),
    },
  };
}

function stalenessFigure({ perShard }: Explanation): Figure {
  const counts = perShard.run.staleness?.counts ?? [];
  const histogram = { name: 'per-shard', colour: 'per-shard', counts, updates: perShard.run.updates } as const;
  const quantiles = [0.5, 0.9, 0.99].map((share) => [
    `${100 * share} % of the updates`,
    `${quantile(histogram, share)} or less`,
  ]);
  return {
    title: 'Staleness, where every shard updates on its own',
    caption:
      'How many updates of other shards came between the reading of the weights and the update that was computed on them. Look at what is not ' +
      'at 0: those updates were applied to weights they were not computed for. In sync all are at 0.',
    panels: [stalenessPanel('per-shard', [histogram])],
    table: {
      header: ['share', 'staleness, in updates'],
      rows: [...quantiles, ['all', `${counts.length - 1} or less`]],
    },
  };
}

function sizesFigure(drawn: Drawn<BatchSizeRun>[]): Figure {
  return {
    title: 'Batch sizes: single-sample, mini-batch and full-batch descent',
    caption:
      'What the batch size does: it sets how many rows an update averages over. Look at the noise and the updates together: few rows ' +
      'make many noisy updates, many rows make few exact ones. All three saw the same rows as often, with 1 thread each.',
    legend: legendOf(drawn),
    panels: [
      lossPanel(drawn),
      barPanel(
        'Updates in an epoch',
        'updates',
        bars(drawn, (run) => run.updatesPerEpoch),
      ),
      barPanel(
        'Noise of the gradient',
        'in % of its length',
        bars(drawn, (run) => 100 * run.gradientNoise),
      ),
      barPanel(
        'Time',
        'seconds of training',
        bars(drawn, ({ run }) => run.seconds),
      ),
    ],
    table: {
      header: [
        '',
        'batch size',
        'updates in an epoch',
        'noise of the gradient',
        'training loss',
        'validation loss',
        'seconds',
      ],
      rows: drawn.map(({ name, run }) => [
        name,
        grouped(run.run.batchSize),
        grouped(run.updatesPerEpoch),
        `${short(100 * run.gradientNoise)} %`,
        short(run.loss),
        short(run.validationLoss),
        short(run.run.seconds),
      ]),
    },
  };
}
