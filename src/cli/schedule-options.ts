import { Option } from 'commander';
import {
  cosineDecay,
  exponentialDecay,
  type LearningRate,
  oneCycle,
  stepDecay,
  warmUp,
} from '../common/optimizers/index.js';
import { readName, readWhole } from './option-values.js';
import { UsageError } from './usage-error.js';

/** What becomes of the learning rate over a training of so many updates. */
const SCHEDULES = {
  constant: (rate: number): LearningRate => rate,
  step: (rate: number, steps: number) => stepDecay({ initial: rate, factor: 0.1, every: Math.ceil(steps / 3) }),
  exponential: (rate: number, steps: number) => exponentialDecay({ initial: rate, factor: 0.01, every: steps }),
  cosine: (rate: number, steps: number) => cosineDecay({ initial: rate, steps }),
  'one-cycle': (rate: number, steps: number) => oneCycle({ peak: rate, steps }),
} as const;

type ScheduleName = keyof typeof SCHEDULES;

/** The schedule of the learning rate, as given on a command line. */
export interface ScheduleChoice {
  schedule: ScheduleName;
  warmUp?: number;
}

const WHAT =
  'learning rate over the training: constant, step (a tenth after each third), exponential (down to a hundredth), cosine (down to 0), ' +
  'one-cycle (up and down, --lr at the top)';

/** `--schedule` and `--warm-up`. */
export function scheduleOptions(): Option[] {
  const names = Object.keys(SCHEDULES) as ScheduleName[];
  return [
    new Option('--schedule <name>', WHAT).argParser(readName(names)).default('constant'),
    new Option('--warm-up <updates>', 'updates over which the learning rate rises before that').argParser(readWhole(1)),
  ];
}

/** @throws UsageError for a schedule under a rule whose updates are not those of mini-batches. */
export function checkSchedule({ schedule, warmUp: updates, update }: ScheduleChoice & { update: string }): void {
  if (update === 'sync' || (schedule === 'constant' && updates === undefined)) return;
  const flag = schedule === 'constant' ? '--warm-up' : '--schedule';
  throw new UsageError(`${flag} counts updates of whole mini-batches: it belongs to --update sync, got ${update}`);
}

/**
 * The learning rate of a training that makes `updates` updates.
 *
 * @param rate where the schedule begins, or its top
 * @throws UsageError if nothing is left to train after the warm-up.
 */
export function scheduledRate(
  { schedule, warmUp: rise = 0 }: ScheduleChoice,
  rate: number,
  updates: number,
): LearningRate {
  if (rise >= updates) {
    throw new UsageError(
      `--warm-up ${rise} is all of the training, which makes ${updates} updates: choose a smaller one`,
    );
  }
  const then = SCHEDULES[schedule](rate, updates - rise);
  return rise > 0 ? warmUp({ steps: rise, then }) : then;
}
