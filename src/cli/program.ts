import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type BenchOptions, benchCommand } from './bench-command.js';
import { type EvaluateCommandOptions, evaluateCommand } from './evaluate-command.js';
import { type ExplainCommandOptions, explainCommand } from './explain-command.js';
import { type ExportOptions, exportCommand } from './export-command.js';
import { type PredictOptions, predictCommand } from './predict-command.js';
import { type StudyCommandOptions, studyCommand } from './study-command.js';
import { trainCommand } from './train-command.js';
import type { TrainOptions } from './train-options.js';

/** What is done for each command, with its options. */
export interface Actions {
  train: (options: TrainOptions) => Promise<void>;
  predict: (options: PredictOptions) => Promise<void>;
  evaluate: (options: EvaluateCommandOptions) => Promise<void>;
  export: (options: ExportOptions) => Promise<void>;
  explain: (options: ExplainCommandOptions) => Promise<void>;
  study: (options: StudyCommandOptions) => Promise<void>;
  bench: (options: BenchOptions) => Promise<void>;
}

/** The commands of the program. */
export function createProgram(actions: Actions): Command {
  const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
    description: string;
  };
  const program = new Command('shardfit')
    .description(description)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'shardfit: ')) })
    // Errors are thrown, so that the program ends in one place only.
    .exitOverride();
  for (const command of [
    trainCommand(actions.train),
    predictCommand(actions.predict),
    evaluateCommand(actions.evaluate),
    exportCommand(actions.export),
    explainCommand(actions.explain),
    studyCommand(actions.study),
    benchCommand(actions.bench),
  ]) {
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
  }
  return program;
}
