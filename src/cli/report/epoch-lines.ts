import type { Progress } from '../../index.js';
import type { Output } from '../output.js';
import { count, metrics } from './format.js';

/** Draws the progress of one epoch after the other. */
export interface EpochProgress {
  progress(state: Progress): void;
  epochEnd(epoch: number, logs: Record<string, number>): void;
  stop(): void;
}

/** One line per epoch, for pipes and logs. */
export function epochLines(output: Output, epochs: number): EpochProgress {
  let samplesPerSecond = 0;
  const width = String(epochs).length;
  return {
    progress(state) {
      samplesPerSecond = state.samplesPerSecond;
    },
    epochEnd(epoch, logs) {
      const speed = samplesPerSecond > 0 ? `  ${count(samplesPerSecond)} samples/s` : '';
      output.line(`epoch ${String(epoch + 1).padStart(width)}/${epochs}  ${metrics(logs)}${speed}`);
    },
    stop() {},
  };
}
