import { Command, Option } from 'commander';

/** Options of `shardfit predict`, read and checked. */
export interface PredictOptions {
  model: string;
  data: string;
  out?: string;
  xKey?: string;
}

const WHAT = `A table needs the columns that the model was trained on, by name and in any order; others are passed over, also the one to be
predicted. A model that was trained on arrays takes an array of such rows. Out comes a CSV file of one column, with a line for each row.
Where there is much to compute, all cores share it.

Example:
  shardfit train --data houses.csv --target price --save model
  shardfit predict --model model --data new-houses.csv --out prices.csv`;

/** `shardfit predict` with its options. */
export function predictCommand(action: (options: PredictOptions) => Promise<void>): Command {
  return new Command('predict')
    .description('Predict the rows of a file with a saved model.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${WHAT}`)
    .addOption(new Option('--model <folder>', 'what shardfit train --save wrote').makeOptionMandatory())
    .addOption(
      new Option(
        '--data <file>',
        'rows to predict: a table (.csv, .csv.gz, .parquet) or an array (.npy, .npz, IDX)',
      ).makeOptionMandatory(),
    )
    .addOption(new Option('--x-key <name>', 'array of an .npz file that holds the rows (default: x)'))
    .addOption(new Option('--out <file>', 'where the predictions are written (default: stdout)'))
    .action((options: PredictOptions) => action(options));
}
