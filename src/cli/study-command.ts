import { Command, Option } from 'commander';
import { UPDATE_RULES, type UpdateRuleName } from '../common/update-rules.js';
import { type MomentumChoice, momentumOptions } from './optimizer-options.js';
import { readList, readName, readReal, readWhole, readWholeOr } from './option-values.js';
import { type RuleChoice, ruleDetails } from './rule-options.js';
import { dataOptions, modelOptions, type TaskOptions } from './task-options.js';

/** Options of `shardfit study`, read and checked. What is left out is the library's to choose, or the data's. */
export interface StudyCommandOptions
  extends TaskOptions,
    MomentumChoice,
    Omit<RuleChoice, 'update' | 'virtualWorkers'> {
  out: string;
  rules?: UpdateRuleName[];
  batchSizes?: (number | 'full')[];
  workers?: number[];
  virtualWorkers?: number[];
  lrs?: number[];
  seeds?: number;
  epochs?: number;
  targetLoss?: number;
  json: boolean;
  quiet: boolean;
}

const NOTES = `Every rule is trained with every batch size, number of workers and learning rate, by several seeds, one training after the
other. One worker alone is trained by one rule: all do the same then. The folder gets report.html, runs.csv and a journal:
after Ctrl-C, or if it is killed, the same command goes on where it was.`;

const EXAMPLES = `Examples:
  shardfit study --data digits
  shardfit study --data diabetes --rules sync,per-shard --batch-sizes 8,32,full --workers 1,2 --virtual-workers none --out sizes
  shardfit study --data digits --virtual-workers 16,64 --workers none --straggler 5 --max-staleness 4

Exit codes: 0 done, 1 failed, 2 wrong command line, 130 ended by Ctrl-C.`;

/** `shardfit study` with its options. */
export function studyCommand(action: (options: StudyCommandOptions) => Promise<void>): Command {
  const command = new Command('study')
    .description('Compare update rules, batch sizes, workers and learning rates, and write a report.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${NOTES}\n\n${EXAMPLES}`)
    .action((options: StudyCommandOptions) => action(options));
  const rules = ruleDetails().filter(({ long }) => long !== '--virtual-workers');
  const shared = [...dataOptions(), ...modelOptions(), ...momentumOptions(), ...rules];
  for (const option of [...gridOptions(), ...shared, ...outputOptions()]) command.addOption(option);
  return command;
}

function gridOptions(): Option[] {
  const counts = (text: string) => (text === 'none' ? [] : readList(readWhole(1))(text));
  const rate = readReal('above 0', (value) => value > 0);
  return [
    new Option('--rules <names>', `update rules (default: ${UPDATE_RULES.join(',')})`).argParser(
      readList(readName(UPDATE_RULES)),
    ),
    new Option('--batch-sizes <sizes>', 'rows of a mini-batch, or full (default: 32,128,512)').argParser(
      readList(readWholeOr('full')),
    ),
    new Option('--workers <counts>', 'numbers of threads, or none (default: 1,2)').argParser(counts),
    new Option('--virtual-workers <counts>', 'numbers of simulated workers, or none (default: 8)').argParser(counts),
    new Option('--lrs <rates>', 'learning rates (default: 0.03,0.1,0.3; a hundredth of that for a number)').argParser(
      readList(rate),
    ),
    new Option('--seeds <n>', 'trainings of each kind, by seeds from 0 on (default: 3)').argParser(readWhole(1)),
    new Option('--epochs <n>', 'times that all rows are gone through (default: 8)').argParser(readWhole(1)),
    new Option('--target-loss <loss>', 'loss to be reached (default: one that half of the trainings reach)').argParser(
      readReal('above 0', (value) => value > 0),
    ),
  ];
}

function outputOptions(): Option[] {
  return [
    new Option('--out <folder>', 'where report, table and journal go').default('study'),
    new Option('--json', 'print one JSON object a line, and nothing else').default(false),
    new Option('--quiet', 'print the end only').default(false),
  ];
}
