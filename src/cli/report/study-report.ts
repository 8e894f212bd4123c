import cliProgress from 'cli-progress';
import type { StudyComparison, StudyProgress, StudySummary } from '../../index.js';
import type { Output } from '../output.js';
import { count, duration, metric } from './format.js';
import { textTable } from './text-table.js';

/** Tells how a study goes, in one of several forms. */
export interface StudyReport {
  progress(state: StudyProgress): void;
  /** The study is over, as planned or not: nothing more is drawn. */
  stop(): void;
  end(summary: StudySummary): void;
}

export function studyReport(output: Output, { json, quiet }: { json: boolean; quiet: boolean }): StudyReport {
  if (json) return jsonReport(output, quiet);
  const progress = quiet ? undefined : output.terminal ? studyBar() : studyLines(output);
  return {
    progress: (state) => progress?.progress(state),
    stop: () => progress?.stop(),
    end({ done, total, targetLoss, comparisons, report, csv }) {
      progress?.stop();
      output.line('');
      output.line(`Done: ${count(done)} of ${count(total)} trainings.`);
      for (const line of comparisonLines(comparisons)) output.line(line);
      output.line('');
      output.line(`  target loss  ${metric(targetLoss)}`);
      output.line(`  report       ${report}`);
      output.line(`  table        ${csv}`);
    },
  };
}

/** A line for each rule, number of workers and batch size, the lowest loss first. */
function comparisonLines(comparisons: StudyComparison[]): string[] {
  const cell = (value: number | null, text: (value: number) => string) => (value === null ? '-' : text(value));
  const inSeconds = (value: number | null) => cell(value, (seconds) => seconds.toFixed(2));
  const rows = [...comparisons]
    .sort((a, b) => (a.loss ?? Number.POSITIVE_INFINITY) - (b.loss ?? Number.POSITIVE_INFINITY))
    .map(({ name, batchSize, learningRate, loss, updates, seconds, secondsToTarget }) => [
      ...[name, count(batchSize), String(learningRate), cell(loss, metric), count(updates)],
      ...[inSeconds(seconds), inSeconds(secondsToTarget)],
    ]);
  const header = ['', 'batch', 'best rate', 'loss', 'updates', 'seconds', 'to target'];
  return ['', ...textTable(header, rows)];
}

function jsonReport(output: Output, quiet: boolean): StudyReport {
  const write = (event: object) => output.line(JSON.stringify(event));
  return {
    progress: (state) => quiet || write({ event: state.last === undefined ? 'start' : 'run', ...state }),
    stop() {},
    end: (summary) => write({ event: 'done', ...summary }),
  };
}

/** One line for each training, for pipes and logs. */
function studyLines(output: Output): Omit<StudyReport, 'end'> {
  return {
    progress({ done, total, found, last, loss, secondsLeft }) {
      const place = `${String(done).padStart(String(total).length)}/${total}`;
      if (last === undefined) {
        const before = found > 0 ? `, ${count(found)} of them done before` : '';
        output.line(`${count(total)} trainings${before}`);
      } else {
        output.line(`${place}  ${last}: loss ${metric(loss ?? Number.NaN)}  (${duration(secondsLeft ?? 0)} left)`);
      }
    },
    stop() {},
  };
}

/** One bar for the whole study, for a terminal. */
function studyBar(): Omit<StudyReport, 'end'> {
  const bar = new cliProgress.SingleBar({
    format: '{bar} {value}/{total}  {state}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stdout,
    // Drawn when a training has ended, so that no timer outlives the bar.
    synchronousUpdate: true,
    noTTYOutput: false,
    // Ctrl-C is the command's own business.
    gracefulExit: false,
  });
  let open = false;
  return {
    progress({ done, total, last, loss, secondsLeft }) {
      if (!open) bar.start(total, done, { state: '' });
      open = true;
      const left = secondsLeft === undefined ? '' : `${duration(secondsLeft)} left  `;
      bar.update(done, { state: last === undefined ? '' : `${left}${last}: loss ${metric(loss ?? Number.NaN)}` });
    },
    stop() {
      if (open) bar.stop();
      open = false;
    },
  };
}
