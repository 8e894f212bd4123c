import * as tf from '@tensorflow/tfjs';
import { resolveOptions } from '../coordinator/options.js';
import { explain } from '../index.js';
import type { ExplainCommandOptions } from './explain-command.js';
import type { Interruption } from './interruption.js';
import type { Output } from './output.js';
import { explanationLines } from './report/explanation-lines.js';
import { withFlagNames } from './rule-options.js';

/** `shardfit explain`: runs the trainings and prints what was counted. */
export async function explainCommandLine(
  options: ExplainCommandOptions,
  output: Output,
  { signal }: Interruption,
): Promise<void> {
  const { batchSize, workers, epochs, seed, json } = options;
  withFlagNames(() => resolveOptions({ batchSize, workers, epochs, seed }));
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const onStage = (stage: string) => {
    if (!json) output.line(`training: ${stage} ...`);
  };
  const explanation = await explain({ batchSize, workers, epochs, seed, signal, onStage });
  if (json) output.line(JSON.stringify(explanation));
  else for (const line of explanationLines(explanation)) output.line(line);
}
