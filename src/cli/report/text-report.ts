import type { Output } from '../output.js';
import { epochBar } from './epoch-bar.js';
import { epochLines } from './epoch-lines.js';
import { count, counted } from './format.js';
import type { Report, RunPlan } from './report.js';
import { summaryLines } from './summary.js';

/** For people: what is trained, how it goes, and what came of it. */
export function textReport(output: Output, { quiet, epochs }: { quiet: boolean; epochs: number }): Report {
  const progress = quiet ? undefined : output.terminal ? epochBar(epochs) : epochLines(output, epochs);
  return {
    start(plan) {
      if (!quiet) for (const line of planLines(plan)) output.line(line);
    },
    progress: (state) => progress?.progress(state),
    epochEnd: (epoch, logs) => progress?.epochEnd(epoch, logs),
    stop: () => progress?.stop(),
    end(outcome) {
      for (const line of summaryLines(outcome)) output.line(line);
    },
  };
}

function planLines(plan: RunPlan): string[] {
  const validation = plan.validationRows > 0 ? `, the last ${count(plan.validationRows)} for validation` : '';
  return [
    `data   ${plan.data}: ${counted(plan.rows, 'row')}${validation}; ${counted(plan.features, 'feature')} -> ${plan.target}`,
    `model  ${plan.model}; ${plan.objective}${plan.optimizer === undefined ? '' : `; ${plan.optimizer}`}`,
  ];
}
