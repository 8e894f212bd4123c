import { UPDATE_RULES, type UpdateRuleName } from '../common/update-rules.js';
import { type FitOptions, resolveOptions } from '../coordinator/options.js';
import { OWNERS } from '../coordinator/rule-options.js';
import type { Grid, StudyPoint } from './grid.js';
import type { RuleOptions, StudyOptions } from './options.js';

/** What decides the outcome of a study: two with the same plan can go on from the same journal. */
export interface StudyPlan extends Grid {
  epochs: number;
  validationSplit: number;
  optimizer: { momentum: number; nesterov: boolean; decay: number };
  ruleOptions: RuleOptions;
}

/** Mini-batches from one averaging to the next in a study: with every mini-batch, `local` would be `sync`. */
const SYNC_EVERY = 8;

/**
 * Fills in the defaults and checks every value by the rules of `fit`.
 *
 * @throws TypeError or RangeError, before anything is trained.
 */
export function planOf(options: StudyOptions): StudyPlan {
  const { maxStaleness, hogwildMomentum, syncEvery, outerMomentum, outerLearningRate, straggler } = options;
  const plan: StudyPlan = {
    rules: options.rules ?? [...UPDATE_RULES],
    batchSizes: options.batchSizes ?? [32, 128, 512],
    workers: options.workers ?? [1, 2],
    virtualWorkers: options.virtualWorkers ?? [8],
    learningRates: options.learningRates ?? [0.03, 0.1, 0.3],
    seeds: options.seeds ?? [0, 1, 2],
    epochs: options.epochs ?? 8,
    validationSplit: options.validationSplit ?? 0.1,
    optimizer: {
      momentum: options.momentum ?? 0,
      nesterov: options.nesterov ?? false,
      decay: options.decay ?? 0,
    },
    ruleOptions: { maxStaleness, hogwildMomentum, syncEvery, outerMomentum, outerLearningRate, straggler },
  };
  checkLists(plan);
  checkValues(plan);
  plan.ruleOptions.syncEvery ??= plan.rules.includes('local') ? SYNC_EVERY : undefined;
  return plan;
}

function checkLists(plan: StudyPlan): void {
  const needed = ['rules', 'batchSizes', 'learningRates', 'seeds'] as const;
  for (const name of [...needed, 'workers', 'virtualWorkers'] as const) {
    const list = plan[name] as unknown[];
    if (!Array.isArray(list)) throw new TypeError(`${name} must be an array, got ${typeof list}`);
    const repeated = list.find((value, index) => list.indexOf(value) !== index);
    if (repeated !== undefined) throw new RangeError(`${name} must hold each value once, got ${repeated} twice`);
  }
  const empty = needed.find((name) => plan[name].length === 0);
  if (empty) throw new RangeError(`${empty} must hold at least one value, got none`);
  if (plan.workers.length + plan.virtualWorkers.length === 0) {
    throw new RangeError('workers or virtualWorkers must hold at least one value, got none in both');
  }
}

/** Has `fit` look at every value. */
function checkValues(plan: StudyPlan): void {
  const { epochs, validationSplit, ruleOptions, rules } = plan;
  const all: FitOptions[] = [
    { epochs, validationSplit },
    ...plan.batchSizes.map((batchSize) => ({ batchSize })),
    ...plan.workers.map((workers) => ({ workers })),
    ...plan.virtualWorkers.map((virtualWorkers) => ({ virtualWorkers, straggler: ruleOptions.straggler })),
    ...plan.seeds.map((seed) => ({ seed })),
    ...rules.map((update) => ({ update, ...optionsOfRule(ruleOptions, update) })),
  ];
  for (const options of all) resolveOptions(options);
  for (const [name, owner] of Object.entries(OWNERS)) {
    if (ruleOptions[name as keyof RuleOptions] === undefined || rules.includes(owner)) continue;
    throw new TypeError(`${name} belongs to update: '${owner}', which is not among the rules of this study`);
  }
  if (ruleOptions.straggler !== undefined && plan.virtualWorkers.length === 0) {
    throw new TypeError('straggler slows a simulated worker down: it needs virtualWorkers');
  }
}

function optionsOfRule(options: RuleOptions, rule: UpdateRuleName): RuleOptions {
  const own = Object.entries(OWNERS).filter(([, owner]) => owner === rule);
  return Object.fromEntries(own.map(([name]) => [name, options[name as keyof RuleOptions]]));
}

/** Options of `fit` for one training, but for the optimizer. */
export function fitOptionsOf({ ruleOptions, epochs, validationSplit }: StudyPlan, point: StudyPoint): FitOptions {
  const { rule, crew, batchSize, seed } = point;
  const simulated = { virtualWorkers: crew.count, straggler: ruleOptions.straggler };
  return {
    ...{ epochs, validationSplit, batchSize, seed, update: rule },
    ...optionsOfRule(ruleOptions, rule),
    ...(crew.kind === 'simulated' ? simulated : { workers: crew.count }),
  };
}
