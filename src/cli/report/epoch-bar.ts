import cliProgress from 'cli-progress';
import type { Progress } from '../../index.js';
import type { EpochProgress } from './epoch-lines.js';
import { count, duration, metrics } from './format.js';

/** A progress bar per epoch, for a terminal. */
export function epochBar(epochs: number): EpochProgress {
  let bar: cliProgress.SingleBar | undefined;
  let last: Progress | undefined;
  const open = (epoch: number, steps: number) => {
    const opened = newBar();
    opened.start(steps, 0, { label: label(epoch, epochs), state: '' });
    return opened;
  };
  return {
    progress(state) {
      last = state;
      bar ??= open(state.epoch, state.steps ?? 0);
      bar.update(state.step, { state: `${metrics(state.logs)}  ${speed(state)}  ${timeLeft(state)} left` });
    },
    epochEnd(epoch, logs) {
      const steps = last?.steps ?? 1;
      bar ??= open(epoch, steps);
      bar.update(steps, { state: `${metrics(logs)}  ${last ? speed(last) : ''}` });
      bar.stop();
      bar = undefined;
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function newBar(): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    format: '{label} {bar} {value}/{total}  {state}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stdout,
    // fit reports ten times a second: drawing is left to those calls, so that no timer outlives the bar.
    synchronousUpdate: true,
    noTTYOutput: false,
    // Ctrl-C is the command's own business.
    gracefulExit: false,
  });
}

function label(epoch: number, epochs: number): string {
  return `epoch ${String(epoch + 1).padStart(String(epochs).length)}/${epochs}`;
}

function speed({ samplesPerSecond }: Progress): string {
  return `${count(samplesPerSecond)} samples/s`;
}

/** Time until the end of all epochs at the speed so far. */
function timeLeft({ epoch, epochs, step, steps, rows, samplesPerSecond }: Progress): string {
  if (steps === undefined || step === 0 || samplesPerSecond === 0) return '?';
  const epochRows = (rows / step) * steps;
  return duration((epochRows * (epochs - epoch) - rows) / samplesPerSecond);
}
