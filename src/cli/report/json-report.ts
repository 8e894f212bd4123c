import type { Output } from '../output.js';
import type { Outcome, Report } from './report.js';

/** One JSON object a line, for programs. A loss that is not a finite number appears as null. */
export function jsonReport(output: Output, { quiet }: { quiet: boolean }): Report {
  const write = (event: object) => output.line(JSON.stringify(event));
  return {
    start() {},
    progress() {},
    epochEnd(epoch, logs) {
      if (!quiet) write({ event: 'epoch', epoch, ...logs });
    },
    stop() {},
    end({ run, weightsSha256, interrupted }: Outcome) {
      const { updates, workers, shards, batchSize, samplesPerSecond } = run;
      const event = interrupted ? 'interrupted' : 'done';
      write({ event, updates, workers, shards, batchSize, samplesPerSecond, weightsSha256 });
    },
  };
}
