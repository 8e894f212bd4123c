import { Command, Option } from 'commander';
import { SCALINGS, type Scaling } from '../bench/scaling-plan.js';
import { WORKLOADS, type WorkloadName } from '../bench/workloads/names.js';
import { SPLITS, type SplitChoice } from '../common/shards.js';
import { readList, readName, readReal, readWhole } from './option-values.js';

/** Options of `shardfit bench`, read and checked. */
export interface BenchOptions {
  workload: WorkloadName[];
  model?: string;
  batchSize?: number;
  workers?: number[];
  scaling: Scaling[];
  split: SplitChoice;
  rounds: number;
  seconds: number;
  csv?: string;
  json?: string;
  charts?: string;
}

const NOTES = `Strong scaling: all workers share a mini-batch of the same size. Weak scaling: mini-batches have as many times the rows as
there are workers. Rounds alternate between all of them, and each line is the median of its rounds. What the machine can do at best
is measured in the same rounds: the rate of matrix products, the rate of copying, and the time of a barrier. The prediction is
compute / workers + bytes / copy rate + barriers, made of one worker's time and of those limits.`;

const EXAMPLES = `Examples:
  shardfit bench
  shardfit bench --workload cnn,lstm --workers 1,2,4 --rounds 9 --json new.json --charts charts
  shardfit bench --model topology.json --batch-size 64 --scaling strong
  npm run bench:check -- old.json new.json     in a clone of the repository: what has changed, and what is noise`;

/** `shardfit bench` with its options. */
export function benchCommand(action: (options: BenchOptions) => Promise<void>): Command {
  const names = Object.keys(WORKLOADS) as WorkloadName[];
  const seconds = readReal('above 0', (value) => value > 0);
  return new Command('bench')
    .description('Measure how training scales with workers on this machine.')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `\n${NOTES}\n\n${EXAMPLES}`)
    .addOption(
      new Option('--workload <names>', names.join(', ')).argParser(readList(readName(names))).default(['784-128-10']),
    )
    .addOption(
      new Option(
        '--model <file.json>',
        'tfjs topology with one input and one output instead, trained on random rows',
      ).conflicts('workload'),
    )
    .addOption(
      new Option(
        '--batch-size <n>',
        "rows of one worker's mini-batch (default: the workload's; 64 for --model)",
      ).argParser(readWhole(1)),
    )
    .addOption(
      new Option('--workers <counts>', 'numbers of threads, beside 1 (default: up to all cores)').argParser(
        readList(readWhole(1)),
      ),
    )
    .addOption(
      new Option('--scaling <kinds>', SCALINGS.join(', '))
        .argParser(readList(readName(SCALINGS)))
        .default([...SCALINGS]),
    )
    .addOption(
      new Option('--split <what>', "whether workers share a mini-batch's rows or the layers' units; auto: the faster")
        .argParser(readName(SPLITS))
        .default('auto'),
    )
    .addOption(new Option('--rounds <n>', 'measurements of each').argParser(readWhole(1)).default(5))
    .addOption(new Option('--seconds <s>', 'training time of one measurement').argParser(seconds).default(0.5))
    .addOption(new Option('--csv <file>', 'write the table, too'))
    .addOption(new Option('--json <file>', 'write all that was measured, too'))
    .addOption(new Option('--charts <folder>', 'write a chart of the speed-up of each workload, as SVG and as PNG'))
    .action((options: BenchOptions) => action(options));
}
