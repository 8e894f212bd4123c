import { availableParallelism } from 'node:os';
import type * as tf from '@tensorflow/tfjs';
import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { isOptimizer, type Optimizer } from '../common/optimizers.js';
import type { TensorInput } from './data-in.js';

/** Progress of a running `fit`, about ten times a second. */
export interface Progress {
  epoch: number;
  /** Epoch at which training ends. */
  epochs: number;
  /** Mini-batches done in this epoch, and their number. */
  step: number;
  steps: number;
  /** Rows done in this epoch. */
  rows: number;
  /** Loss and metrics, mean over the rows done in this epoch. */
  logs: Record<string, number>;
  samplesPerSecond: number;
}

/** Options of `fit`: those of tfjs' `model.fit`, and what concerns threads. */
export interface FitOptions {
  /** Rows that make one update. Larger than the data: one batch. Default 32. */
  batchSize?: number;
  /** Epoch at which training ends; from `initialEpoch` 0 the number of epochs. Default 1. */
  epochs?: number;
  /** As in tfjs: nothing is printed without a callback. */
  verbose?: 0 | 1 | 2;
  callbacks?: tf.CustomCallbackArgs | tf.CustomCallbackArgs[] | tf.CustomCallback | tf.CustomCallback[];
  /** Fraction in [0, 1) of the rows, the last ones, cut off before shuffling and never trained on. */
  validationSplit?: number;
  /** `[x, y]`, measured after every epoch. Wins over `validationSplit`. */
  validationData?: [TensorInput, TensorInput];
  /** Whether rows are drawn in a new order every epoch. Default true. */
  shuffle?: boolean;
  /** Number of the first epoch, to go on where an earlier training ended. Default 0. */
  initialEpoch?: number;
  /** When tfjs' `onYield` is called. Training never holds up the event loop. */
  yieldEvery?: 'auto' | 'batch' | 'epoch' | 'never' | number;
  /** Threads that train. They change the speed, not the result. Default 'auto': what the machine offers. */
  workers?: number | 'auto';
  /** Pieces that each mini-batch is cut into. With `shards` fixed, results are the same bits for any number of workers. Default: one per worker. */
  shards?: number;
  /** Whole number that fixes shuffling and dropout. Default: a new one every time. */
  seed?: number;
  /** Default: the optimizer the model was compiled with. */
  optimizer?: Optimizer;
  /** Ends training after the update it is at. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Options with every default filled in. */
export type ResolvedOptions = Required<
  Pick<FitOptions, 'batchSize' | 'epochs' | 'validationSplit' | 'shuffle' | 'initialEpoch' | 'yieldEvery' | 'seed'>
> &
  Pick<FitOptions, 'callbacks' | 'validationData' | 'optimizer' | 'signal' | 'onProgress'> & {
    workers: number;
    shards: number;
  };

const MAXIMUM_WORKERS = 1024;

const wholeNumber = (name: string, from: number, to = Number.MAX_SAFE_INTEGER) => {
  const range = to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`;
  const error = (issue: { input?: unknown }) => `${name} must be a whole number ${range}, got ${show(issue.input)}`;
  return z.number({ error }).int({ error }).min(from, { error }).max(to, { error });
};

const isWorkerCount = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAXIMUM_WORKERS;

const oneOf = <T extends string | number | boolean>(name: string, values: T[]) =>
  z.literal(values, {
    error: ({ input }) => `${name} must be ${values.map(show).join(' or ')}, got ${show(input)}`,
  });

const splitError = ({ input }: { input?: unknown }) => `validationSplit must be in [0, 1), got ${show(input)}`;

const SCHEMA = z.strictObject({
  batchSize: wholeNumber('batchSize', 1).optional(),
  epochs: wholeNumber('epochs', 1).optional(),
  verbose: oneOf('verbose', [0, 1, 2]).optional(),
  callbacks: z.any().optional(),
  validationSplit: z
    .number({ error: splitError })
    .min(0, { error: splitError })
    .lt(1, { error: splitError })
    .optional(),
  validationData: z
    .array(z.any(), { error: ({ input }) => `validationData must be [x, y], got ${show(input)}` })
    .length(2, { error: 'validationData must be [x, y]: two entries' })
    .optional(),
  shuffle: oneOf('shuffle', [true, false]).optional(),
  initialEpoch: wholeNumber('initialEpoch', 0).optional(),
  yieldEvery: z.any().optional(),
  workers: z
    .custom<number | 'auto'>((value) => value === 'auto' || isWorkerCount(value), {
      error: ({ input }) => `workers must be 'auto' or a whole number from 1 to ${MAXIMUM_WORKERS}, got ${show(input)}`,
    })
    .optional(),
  shards: wholeNumber('shards', 1).optional(),
  seed: wholeNumber('seed', 0).optional(),
  optimizer: z
    .custom<Optimizer>(isOptimizer, {
      error: ({ input }) => `optimizer must be one of sgd({ ... }), got ${show(input)}`,
    })
    .optional(),
  signal: z.instanceof(AbortSignal, { error: 'signal must be an AbortSignal' }).optional(),
  onProgress: z
    .custom<FitOptions['onProgress']>((value) => typeof value === 'function', {
      error: ({ input }) => `onProgress must be a function, got ${show(input)}`,
    })
    .optional(),
});

/** Options for which a number is of the right type, if not in range. */
const NUMBERS = new Set([
  'batchSize',
  'epochs',
  'verbose',
  'validationSplit',
  'initialEpoch',
  'workers',
  'shards',
  'seed',
]);

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError for a value of the wrong type or an unknown option, RangeError for one outside its range.
 */
export function resolveOptions(options: FitOptions = {}): ResolvedOptions {
  const result = SCHEMA.safeParse(options, { reportInput: true });
  if (!result.success) throw toError(result.error.issues[0] as z.core.$ZodIssue);
  const { batchSize = 32, epochs = 1, validationSplit = 0, shuffle = true, initialEpoch = 0 } = options;
  const workers =
    options.workers === undefined || options.workers === 'auto' ? availableParallelism() : options.workers;
  return {
    batchSize,
    epochs,
    validationSplit,
    shuffle,
    initialEpoch,
    workers,
    yieldEvery: options.yieldEvery ?? 'auto',
    shards: options.shards ?? workers,
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
    callbacks: options.callbacks,
    validationData: options.validationData,
    optimizer: options.optimizer,
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

function toError(issue: z.core.$ZodIssue): Error {
  if (issue.path.length === 0 && issue.code === 'invalid_type') {
    return new TypeError(`options must be an object, got ${show(issue.input)}`);
  }
  if (issue.code === 'unrecognized_keys') return new TypeError(unknownOption(issue.keys[0] ?? ''));
  const outOfRange = typeof issue.input === 'number' && NUMBERS.has(String(issue.path[0]));
  return outOfRange ? new RangeError(issue.message) : new TypeError(issue.message);
}

function unknownOption(name: string): string {
  const known = Object.keys(SCHEMA.shape);
  const nearest = known.reduce((a, b) => (near(name, b) < near(name, a) ? b : a));
  return near(name, nearest) <= Math.max(2, name.length / 2)
    ? `fit has no option '${name}'; did you mean '${nearest}'?`
    : `fit has no option '${name}'; it has ${known.join(', ')}`;
}

function near(a: string, b: string): number {
  return distance(a.toLowerCase(), b.toLowerCase());
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'an array'
      : 'an object'
    : String(value);
}
