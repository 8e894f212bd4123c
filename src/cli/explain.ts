import * as tf from '@tensorflow/tfjs';
import { resolveOptions } from '../coordinator/options.js';
import { explain } from '../index.js';
import { writeOutput } from '../saved-model/write-output.js';
import { explanationPage } from '../study/explain/explanation-page.js';
import type { ExplainCommandOptions } from './explain-command.js';
import { inFlags, withFlagNames } from './flag-names.js';
import type { Interruption } from './interruption.js';
import type { Output } from './output.js';
import { checkOutputFile } from './output-file.js';
import { explanationLines } from './report/explanation-lines.js';

/** `shardfit explain`: runs the trainings and prints what was counted. */
export async function explainCommandLine(
  options: ExplainCommandOptions,
  output: Output,
  { signal }: Interruption,
): Promise<void> {
  const { batchSize, workers, epochs, seed, json, html } = options;
  withFlagNames(() => resolveOptions({ batchSize, workers, epochs, seed }));
  if (html !== undefined) await checkOutputFile('--html', html, {});
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const onStage = (stage: string) => {
    if (!json) output.line(`training: ${stage} ...`);
  };
  const explanation = await explain({ batchSize, workers, epochs, seed, signal, onStage }).catch((error) => {
    throw inFlags(error);
  });
  if (json) output.line(JSON.stringify(explanation));
  else for (const line of explanationLines(explanation)) output.line(line);
  if (html === undefined) return;
  await writeOutput(html, explanationPage(explanation));
  if (!json) output.line(`The answer as a page: ${html}`);
}
