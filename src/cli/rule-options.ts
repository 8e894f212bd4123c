import { Option } from 'commander';
import { UPDATE_RULES, type UpdateRuleName } from '../common/update-rules.js';
import type { FitOptions } from '../index.js';
import { readName, readReal, readWhole } from './option-values.js';
import { UsageError } from './usage-error.js';

/** Options of a command line that say what a mini-batch does to the weights. */
export interface RuleChoice {
  update: UpdateRuleName;
  batchStatistics?: 'batch' | 'shard';
  maxStaleness?: number;
  hogwildMomentum?: 'shared' | 'private';
  syncEvery?: number;
  outerMomentum?: number;
  outerLr?: number;
  virtualWorkers?: number;
  straggler?: number;
}

/** The option of `fit` behind each of them. */
const FIT_NAMES = {
  update: 'update',
  batchStatistics: 'batchStatistics',
  maxStaleness: 'maxStaleness',
  hogwildMomentum: 'hogwildMomentum',
  syncEvery: 'syncEvery',
  outerMomentum: 'outerMomentum',
  outerLr: 'outerLearningRate',
  virtualWorkers: 'virtualWorkers',
  straggler: 'straggler',
} as const satisfies Record<keyof RuleChoice, keyof FitOptions>;

const RULE_HELP = 'what a mini-batch does to the weights: sync, per-shard, hogwild or local';

/** `--update` and the options that belong to one rule each. */
export function updateOptions(): Option[] {
  return [
    new Option('--update <rule>', RULE_HELP).argParser(readName(UPDATE_RULES)).default('sync'),
    new Option('--batch-statistics <of>', "sync: batch norm by the mini-batch's statistics or each shard's").argParser(
      readName(['batch', 'shard']),
    ),
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

/** The choice in the names of `fit`, what is not given left out. */
export function ruleFitOptions(choice: RuleChoice): Pick<FitOptions, (typeof FIT_NAMES)[keyof typeof FIT_NAMES]> {
  const given = Object.entries(FIT_NAMES).filter(([name]) => choice[name as keyof RuleChoice] !== undefined);
  return Object.fromEntries(given.map(([name, fitName]) => [fitName, choice[name as keyof RuleChoice]]));
}

/**
 * Runs `check`, which looks at options of `fit`.
 *
 * @throws UsageError with the names of the command line where `check` throws with those of the library.
 */
export function withFlagNames<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(inFlags(error.message));
    throw error;
  }
}

/** `maxStaleness belongs to update: 'per-shard'` as `--max-staleness belongs to --update per-shard`. */
function inFlags(message: string): string {
  let text = message
    .replace(/^batchSizes\b/, '--batch-sizes')
    .replace(/^learningRates\b/, '--lrs')
    .replace(/\bupdate: '([\w-]+)'/g, '--update $1')
    .replace(/\bbatchStatistics: '(\w+)'/g, 'batchStatistics $1')
    .replace(/\bshards\b(?= must)/, '--shards');
  for (const [name, fitName] of Object.entries(FIT_NAMES)) {
    if (name === 'update' || name === 'straggler') continue;
    text = text.replaceAll(fitName, `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  }
  return text.replace(/^straggler\b/, '--straggler');
}
