import { Option } from 'commander';
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  type GradientOptions,
  type Optimizer,
  rmsprop,
  sgd,
} from '../common/optimizers/index.js';
import { withFlagNames } from './flag-names.js';
import { readName, readReal } from './option-values.js';
import { UsageError } from './usage-error.js';

const FACTORIES = { sgd, adam, adamw, adagrad, adadelta, adamax, rmsprop };

export type OptimizerName = keyof typeof FACTORIES;

/** Options that not every optimizer has, and those that have them. */
const OWNERS = {
  momentum: ['sgd', 'rmsprop'],
  nesterov: ['sgd'],
  decay: ['sgd', 'adamax'],
} as const satisfies Record<string, OptimizerName[]>;

/** Momentum and decay of SGD, as given on a command line. */
export interface MomentumChoice {
  momentum?: number;
  nesterov?: boolean;
  decay?: number;
}

/** The optimizer, as given on a command line. */
export interface OptimizerChoice extends MomentumChoice, GradientOptions {
  optimizer: OptimizerName;
  lr?: number;
}

/** Options of SGD, but for the learning rate. */
export function momentumOptions(): Option[] {
  const momentum = readReal('in [0, 1)', (value) => value >= 0 && value < 1);
  const notNegative = readReal('of at least 0', (value) => value >= 0);
  return [
    new Option('--momentum <m>', 'momentum (default: 0)').argParser(momentum),
    new Option('--nesterov', "Nesterov's form of the momentum"),
    new Option('--decay <d>', 'time decay of the learning rate per update (default: 0)').argParser(notNegative),
  ];
}

/** `--optimizer` and what belongs to it. */
export function optimizerOptions(): Option[] {
  const positive = readReal('above 0', (value) => value > 0);
  const names = Object.keys(FACTORIES) as OptimizerName[];
  return [
    new Option('--optimizer <name>', names.join(', ')).argParser(readName(names)).default('sgd'),
    new Option(
      '--lr <rate>',
      'learning rate (default: sgd 0.01 for classes, 0.001 for a number; others 0.001)',
    ).argParser(positive),
    ...momentumOptions(),
    new Option('--clip-norm <norm>', "shorten each weight's gradient to this norm").argParser(positive),
    new Option('--global-clip-norm <norm>', 'shorten the gradient of all weights together').argParser(positive),
    new Option('--clip-value <size>', 'cut off each value of the gradient at this size').argParser(positive),
    new Option('--weight-decay <d>', 'decoupled weight decay (default: adamw 0.004)').argParser(
      readReal('of at least 0', (value) => value >= 0),
    ),
  ];
}

/**
 * The optimizer that a command line asks for. What it leaves out has the optimizer's own default.
 *
 * @throws UsageError if the optimizer does not have an option that is given.
 */
export function chooseOptimizer(choice: OptimizerChoice): Optimizer {
  const { optimizer: name, lr, momentum, nesterov, decay } = choice;
  const { clipNorm, globalClipNorm, clipValue, weightDecay } = choice;
  for (const [option, owners] of Object.entries(OWNERS) as [keyof typeof OWNERS, readonly OptimizerName[]][]) {
    if (choice[option] !== undefined && !owners.includes(name)) {
      throw new UsageError(`--${option} belongs to --optimizer ${owners.join(' or ')}, got ${name}`);
    }
  }
  checkMomentum(choice);
  const all = { learningRate: lr, momentum, nesterov, decay, clipNorm, globalClipNorm, clipValue, weightDecay };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return withFlagNames(() => FACTORIES[name](given));
}

/** @throws UsageError for a form of the momentum without any. */
export function checkMomentum({ momentum = 0, nesterov = false }: MomentumChoice): void {
  if (nesterov && momentum === 0) {
    throw new UsageError('--nesterov is a form of the momentum, which is 0: give --momentum too, such as 0.9');
  }
}
