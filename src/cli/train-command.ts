import { Command, Option } from 'commander';
import { MOST_NUMBERED_CLASSES, ROWS_PER_CLASS } from '../data/target.js';
import { optimizerOptions } from './optimizer-options.js';
import { readName, readWhole, readWholeOr } from './option-values.js';
import { updateOptions } from './rule-options.js';
import { scheduleOptions } from './schedule-options.js';
import { dataOptions, modelOptions } from './task-options.js';
import type { TrainOptions } from './train-options.js';

const TARGET_RULE = `Target: text is a class. Numbers are predicted as numbers, unless all are whole, with at most ${MOST_NUMBERED_CLASSES} different
ones and ${ROWS_PER_CLASS} rows or more for each on average: those are classes too. --task says otherwise.`;

const ARRAYS = `Arrays: labels of a type of whole numbers or booleans are classes, floats are numbers; --task says otherwise. Rows may have
several axes, which --hidden flattens. Images in an IDX file are scaled to [0, 1]. As the columns of a table, each value of
a row is then brought to mean 0 and standard deviation 1.`;

const EXAMPLES = `Examples:
  shardfit train --data mnist --hidden 128 --epochs 8
  shardfit train --data digits --hidden 64 --batch-size full --lr 0.5 --epochs 200
  shardfit train --data houses.csv --target price --hidden 64,32 --lr 0.001 --save model
  shardfit train --data train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz
  shardfit train --data digits --shards 4 --workers 2 --seed 7 --json
  shardfit train --data digits --optimizer adam --lr 0.003 --global-clip-norm 1
  shardfit train --data digits --update per-shard --max-staleness 0

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 ended by Ctrl-C.`;

/** `shardfit train` with its options. */
export function trainCommand(action: (options: TrainOptions) => Promise<void>): Command {
  const command = new Command('train')
    .description('Train a network on all cores and say what the threads did.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${TARGET_RULE}\n\n${ARRAYS}\n\n${EXAMPLES}`)
    .action((options: TrainOptions) => action(options));
  for (const option of [
    ...dataOptions(),
    ...modelOptions(),
    ...trainingOptions(),
    ...updateOptions(),
    ...outputOptions(),
  ]) {
    command.addOption(option);
  }
  return command;
}

function trainingOptions(): Option[] {
  return [
    new Option('--epochs <n>', 'times that all rows are gone through').argParser(readWhole(1)).default(10),
    new Option('--batch-size <n>', 'rows that make one update, or full').argParser(readWholeOr('full')).default(32),
    new Option('--workers <n>', 'threads, or auto: what the machine offers')
      .argParser(readWholeOr('auto'))
      .default('auto'),
    new Option('--shards <n>', 'pieces of a mini-batch (default: one per thread)').argParser(readWhole(1)),
    ...optimizerOptions(),
    ...scheduleOptions(),
    new Option('--seed <n>', 'fixes initial weights, shuffling and dropout').argParser(readWhole(0)).default(0),
    new Option(
      '--early-stopping <epochs>',
      'end when the validation loss has not improved for so many epochs (with --validation-split 0: the loss of training), and keep the best weights',
    ).argParser(readWhole(0)),
    new Option(
      '--class-weight <kind>',
      'balanced: rows of rare classes count more, so that all classes count alike',
    ).argParser(readName(['balanced'])),
    new Option('--no-shuffle', 'take the rows in their order'),
  ];
}

function outputOptions(): Option[] {
  return [
    new Option('--save <folder>', 'save the model for tf.loadLayersModel, with the normalizer'),
    new Option('--json', 'print one JSON object a line, and nothing else').default(false),
    new Option('--quiet', 'print the end only').default(false),
  ];
}
