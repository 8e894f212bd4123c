import { Command, Option } from 'commander';
import { readWhole, readWholeOr } from './option-values.js';

/** Options of `shardfit evaluate`, read and checked. */
export interface EvaluateCommandOptions {
  model: string;
  data: string;
  target?: string;
  labels?: string;
  xKey?: string;
  yKey?: string;
  batchSize: number;
  workers: number | 'auto';
  json: boolean;
}

const WHAT = `Loss and metrics are those of the training, of all rows of the file, normalized as in training. A table needs the columns that
the model was trained on, by name and in any order.

Example:
  shardfit train --data houses.csv --target price --save model
  shardfit evaluate --model model --data other-houses.csv`;

/** `shardfit evaluate` with its options. */
export function evaluateCommand(action: (options: EvaluateCommandOptions) => Promise<void>): Command {
  return new Command('evaluate')
    .description('Tell how well a saved model predicts the rows of a file.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${WHAT}`)
    .addOption(new Option('--model <folder>', 'what shardfit train --save wrote').makeOptionMandatory())
    .addOption(
      new Option(
        '--data <name or file>',
        'rows: built-in data, a table (.csv, .csv.gz, .parquet) or arrays (.npy, .npz, IDX)',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--target <column>', 'column to compare with (default: the one that was trained on)'))
    .addOption(new Option('--labels <file>', 'what to compare with, for the rows of an .npy or IDX file'))
    .addOption(new Option('--x-key <name>', 'array of an .npz file that holds the rows (default: x)'))
    .addOption(new Option('--y-key <name>', 'array of an .npz file to compare with (default: y)'))
    .addOption(new Option('--batch-size <n>', 'rows that are computed at a time').argParser(readWhole(1)).default(32))
    .addOption(
      new Option('--workers <n>', 'threads, or auto: what the machine offers')
        .argParser(readWholeOr('auto'))
        .default('auto'),
    )
    .addOption(new Option('--json', 'print one JSON object, and nothing else').default(false))
    .action((options: EvaluateCommandOptions) => action(options));
}
