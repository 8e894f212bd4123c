import { Option } from 'commander';
import type { DataOptions } from '../data/data-options.js';
import { BUILT_IN } from '../data/data-sets.js';
import { ACTIVATIONS, type Activation, LOSS_ALIASES, LOSSES, type Loss } from './choices.js';
import { readHidden, readName, readReal } from './option-values.js';

/** Options that say what is trained: the data and the model. */
export interface TaskOptions extends DataOptions {
  data: string;
  validationSplit: number;
  model?: string;
  hidden: number[];
  activation: Activation;
  loss?: Loss;
}

/** `--data` and what belongs to it. */
export function dataOptions(): Option[] {
  const split = readReal('in [0, 1)', (value) => value >= 0 && value < 1);
  return [
    new Option(
      '--data <name or file>',
      `${BUILT_IN.join(', ')}, a table (.csv, .csv.gz, .parquet) or arrays (.npy, .npz, IDX as of MNIST)`,
    ).makeOptionMandatory(),
    new Option('--target <column>', 'column of a table to predict; needed for a file'),
    new Option('--labels <file>', 'what to predict for the rows of an .npy or IDX file, in such a file'),
    new Option('--x-key <name>', 'array of an .npz file that holds the rows (default: x)'),
    new Option('--y-key <name>', 'array of an .npz file that holds what to predict (default: y)'),
    new Option('--task <kind>', 'what the target is: class or number (default: the column or type tells)').argParser(
      readName(['class', 'number']),
    ),
    new Option('--validation-split <fraction>', 'last fraction of the rows, kept from training')
      .argParser(split)
      .default(0.1),
  ];
}

/** `--hidden` or `--model`, and the loss. */
export function modelOptions(): Option[] {
  return [
    new Option('--hidden <sizes>', 'widths of the hidden dense layers, or none')
      .argParser(readHidden)
      .default([64], '64'),
    new Option('--activation <name>', 'activation of the hidden layers')
      .argParser(readName(ACTIVATIONS))
      .default('relu'),
    new Option('--model <file.json>', 'tfjs topology instead of --hidden; its weights start anew').conflicts([
      'hidden',
      'activation',
    ]),
    new Option('--loss <name>', 'loss (default: categoricalCrossentropy or meanSquaredError)').argParser(
      readName(LOSSES, LOSS_ALIASES),
    ),
  ];
}
