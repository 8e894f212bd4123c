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
    end({ run, kept, weightsSha256, interrupted, diverged }: Outcome) {
      const { update, updates, gradientAccumulationSteps, syncEvery, staleness, simulatedTime } = run;
      const { workers, settled, shards, split, pushed, batchSize, samplesPerSecond } = run;
      const warnings = run.warnings.length > 0 ? run.warnings : undefined;
      const event = diverged ? 'diverged' : interrupted ? 'interrupted' : 'done';
      // What is undefined is left out.
      const ofRule = { gradientAccumulationSteps, syncEvery, staleness, simulatedTime };
      write({
        event,
        update,
        updates,
        epochs: run.epochs,
        result: kept && { epoch: kept.epoch, ...kept.logs },
        ...ofRule,
        workers,
        settled,
        shards,
        split,
        pushed: pushed > 0 ? pushed : undefined,
        batchSize,
        samplesPerSecond,
        weightsSha256,
        warnings,
      });
    },
  };
}
