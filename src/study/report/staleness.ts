import { crewName } from '../grid.js';
import type { Figure } from '../page/figure.js';
import { grouped, short } from '../page/numbers.js';
import { type Histogram, quantile, stalenessPanel } from '../page/staleness-panel.js';
import type { Series, StudyResults } from '../results.js';
import { Look } from './look.js';

/** All updates of a series by their staleness. */
type SeriesHistogram = Histogram & { series: Series };

/** How stale updates were; undefined if no rule of the study lets them be. */
export function stalenessFigure(results: StudyResults): Figure | undefined {
  const histograms = results.series
    .map((series) => histogramOf(results, series))
    .filter(({ series, updates }) => updates > 0 && series.crew.count > 1);
  if (histograms.length === 0) return undefined;
  const look = new Look(results);
  const crews = [...new Set(histograms.map(({ series }) => crewName(series.crew)))];
  return {
    title: 'Staleness',
    caption:
      'How many other updates were applied between the reading of the weights and the update that was computed on them, over all ' +
      'batch sizes, learning rates and seeds. Look at the width: in sync all updates would stand at 0. Of simulated workers most ' +
      'updates stand near their number less one; of threads, it depends on how they take turns on the cores.',
    legend: look.legend(histograms.map(({ series }) => series)).map((entry) => ({ ...entry, dashes: [] })),
    panels: crews.map((crew) =>
      stalenessPanel(
        crew,
        histograms.filter(({ series }) => crewName(series.crew) === crew),
      ),
    ),
    table: {
      header: ['training', 'updates', 'mean staleness', 'fresh (staleness 0)', 'median', '99 % at most', 'most'],
      rows: histograms.map(tableRow),
    },
  };
}

function histogramOf(results: StudyResults, series: Series): SeriesHistogram {
  const counts: number[] = [];
  for (const batchSize of results.plan.batchSizes) {
    for (const { staleness } of results.recordsOf(series, batchSize)) {
      staleness?.counts.forEach((count, value) => {
        counts[value] = (counts[value] ?? 0) + count;
      });
    }
  }
  const whole = Array.from(counts, (count) => count ?? 0);
  return { series, name: series.name, colour: series.rule, counts: whole, updates: whole.reduce((a, b) => a + b, 0) };
}

function tableRow(histogram: SeriesHistogram): string[] {
  const { series, counts, updates } = histogram;
  const mean = counts.reduce((sum, count, value) => sum + count * value, 0) / updates;
  const fresh = `${short((100 * (counts[0] ?? 0)) / updates)} %`;
  const [median, most] = [quantile(histogram, 0.5), quantile(histogram, 0.99)];
  return [series.name, grouped(updates), short(mean), fresh, String(median), String(most), String(counts.length - 1)];
}
