import { Command, Option } from 'commander';
import { readWhole } from './option-values.js';

/** Options of `shardfit explain`, read and checked. */
export interface ExplainCommandOptions {
  batchSize: number;
  workers: number;
  epochs: number;
  seed: number;
  html?: string;
  json: boolean;
}

const WHAT = `Trains a small network (10 inputs, 20 hidden units, 1 output; squared error; SGD of learning rate 0.01, decay 0.1,
momentum 0.1; the last tenth of the rows for validation) several times and counts: with 1 thread and with several, by one
update for each mini-batch and by one for each shard, and by single rows, mini-batches and all rows at once.`;

/** `shardfit explain` with its options. */
export function explainCommand(action: (options: ExplainCommandOptions) => Promise<void>): Command {
  return new Command('explain')
    .description('Show by counting what a batch size does, and what threads do.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${WHAT}`)
    .addOption(new Option('--batch-size <n>', 'rows of a mini-batch').argParser(readWhole(1)).default(20))
    .addOption(new Option('--workers <n>', 'threads to compare with one').argParser(readWhole(2)).default(4))
    .addOption(new Option('--epochs <n>', 'times that all rows are gone through').argParser(readWhole(1)).default(20))
    .addOption(
      new Option('--seed <n>', 'fixes initial weights and the order of rows').argParser(readWhole(0)).default(0),
    )
    .addOption(new Option('--html <file>', 'write the answer as a page, too'))
    .addOption(new Option('--json', 'print the counts as one JSON object, and nothing else').default(false))
    .action((options: ExplainCommandOptions) => action(options));
}
