import { Option } from 'commander';
import { SPLITS, type SplitChoice } from '../common/shards.js';
import { TRANSPORTS, type TransportChoice } from '../common/transport.js';
import { UPDATE_RULES, type UpdateRuleName } from '../common/update-rules.js';
import type { FitOptions } from '../index.js';
import { readName, readReal, readWhole } from './option-values.js';

/** Options of a command line that say what a mini-batch does to the weights. */
export interface RuleChoice {
  update: UpdateRuleName;
  split?: SplitChoice;
  transport?: TransportChoice;
  batchStatistics?: 'batch' | 'shard';
  gradientAccumulationSteps?: number;
  maxStaleness?: number;
  hogwildMomentum?: 'shared' | 'private';
  syncEvery?: number;
  outerMomentum?: number;
  outerLr?: number;
  virtualWorkers?: number;
  straggler?: number;
}

const RULE_HELP = 'what a mini-batch does to the weights: sync, per-shard, hogwild or local';

/** `--update` and the options that belong to one rule each. */
export function updateOptions(): Option[] {
  return [
    new Option('--update <rule>', RULE_HELP).argParser(readName(UPDATE_RULES)).default('sync'),
    new Option(
      '--split <what>',
      "sync: whether threads share a mini-batch's rows or the layers' units (default: auto, the faster)",
    ).argParser(readName(SPLITS)),
    new Option(
      '--transport <how>',
      'sync: whether threads pull gradients and weights or push them to each other (default: auto, the faster)',
    ).argParser(readName(TRANSPORTS)),
    new Option('--batch-statistics <of>', "sync: batch norm by the mini-batch's statistics or each shard's").argParser(
      readName(['batch', 'shard']),
    ),
    new Option(
      '--gradient-accumulation-steps <n>',
      'sync: mini-batches that make one update, with the mean of their gradients (default: 1)',
    ).argParser(readWhole(1)),
    ...ruleDetails(),
  ];
}

/** The options that belong to one rule each. */
export function ruleDetails(): Option[] {
  const momentum = readReal('in [0, 1)', (value) => value >= 0 && value < 1);
  return [
    new Option('--max-staleness <n>', 'per-shard: mini-batches that the fastest may be ahead').argParser(readWhole(0)),
    new Option('--hogwild-momentum <kind>', 'hogwild: shared or private momentum').argParser(
      readName(['shared', 'private']),
    ),
    new Option('--sync-every <n>', 'local: mini-batches from one averaging to the next').argParser(readWhole(1)),
    new Option('--outer-momentum <m>', 'local: momentum on the averaged change').argParser(momentum),
    new Option('--outer-lr <rate>', 'local: rate of that step').argParser(readReal('above 0', (value) => value > 0)),
    new Option('--virtual-workers <n>', 'simulated workers, one per shard; asynchronous rules are replayed').argParser(
      readWhole(1),
    ),
    new Option('--straggler <times>', 'with --virtual-workers: worker 0 is this many times slower').argParser(
      readReal('of at least 1', (value) => value >= 1),
    ),
  ];
}

/** The options of `fit` behind them. */
type RuleFitOptions = Pick<FitOptions, Exclude<keyof RuleChoice, 'outerLr'> | 'outerLearningRate'>;

/** The choice in the names of `fit`, what is not given left out. */
export function ruleFitOptions(choice: RuleChoice): RuleFitOptions {
  const { update, split, transport, batchStatistics, gradientAccumulationSteps, maxStaleness, hogwildMomentum } =
    choice;
  const { syncEvery, outerMomentum, outerLr: outerLearningRate, virtualWorkers, straggler } = choice;
  const all = {
    ...{ update, split, transport, batchStatistics, gradientAccumulationSteps, maxStaleness, hogwildMomentum },
    ...{ syncEvery, outerMomentum, outerLearningRate, virtualWorkers, straggler },
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
