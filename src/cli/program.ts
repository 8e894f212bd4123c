import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { trainCommand } from './train-command.js';
import type { TrainOptions } from './train-options.js';

/** The commands of the program. `onTrain` is called with the options of `shardfit train`. */
export function createProgram(onTrain: (options: TrainOptions) => Promise<void>): Command {
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
  program.addCommand(trainCommand(onTrain).exitOverride().copyInheritedSettings(program));
  return program;
}
