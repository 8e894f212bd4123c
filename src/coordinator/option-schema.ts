/** The one place where options are checked: names, types, ranges. */
import { z } from 'zod';
import { isOptimizer, type Optimizer } from '../common/optimizers/index.js';
import { unknownOption } from '../common/option-names.js';
import { SPLITS } from '../common/shards.js';
import { show } from '../common/show.js';
import { TRANSPORTS } from '../common/transport.js';
import { UPDATE_RULES } from '../common/update-rules.js';
import type { FitOptions } from './options.js';

const MAXIMUM_WORKERS = 1024;

const wholeNumber = (name: string, from: number, to = Number.MAX_SAFE_INTEGER) => {
  const range = to === Number.MAX_SAFE_INTEGER ? `of at least ${from}` : `from ${from} to ${to}`;
  const error = (issue: { input?: unknown }) => `${name} must be a whole number ${range}, got ${show(issue.input)}`;
  return z.number({ error }).int({ error }).min(from, { error }).max(to, { error });
};

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

const isWorkerCount = (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAXIMUM_WORKERS;

const isYieldEvery = (value: unknown) =>
  ['auto', 'batch', 'epoch', 'never'].includes(value as string) || (Number.isFinite(value) && (value as number) > 0);

const oneOf = <T extends string | number | boolean>(name: string, values: T[]) =>
  z.literal(values, {
    error: ({ input }) => `${name} must be ${values.map(show).join(' or ')}, got ${show(input)}`,
  });

const numberIn = (name: string, range: string, fits: (value: number) => boolean) => {
  const error = ({ input }: { input?: unknown }) => `${name} must be in ${range}, got ${show(input)}`;
  return z.number({ error }).refine(fits, { error });
};

const SCHEMA = z.strictObject({
  batchSize: wholeNumber('batchSize', 1).optional(),
  epochs: wholeNumber('epochs', 1).optional(),
  verbose: oneOf('verbose', [0, 1, 2]).optional(),
  callbacks: z.any().optional(),
  validationSplit: numberIn('validationSplit', '[0, 1)', (n) => n >= 0 && n < 1).optional(),
  validationData: z
    .array(z.any(), {
      error: ({ input }) => `validationData must be [x, y] or [x, y, sampleWeight], got ${show(input)}`,
    })
    .refine(({ length }) => length === 2 || length === 3, {
      error: ({ input }) =>
        `validationData must be [x, y] or [x, y, sampleWeight], got an array of ${(input as unknown[]).length}`,
    })
    .optional(),
  sampleWeight: z.any().optional(),
  classWeight: z.any().optional(),
  shuffle: oneOf('shuffle', [true, false]).optional(),
  stepsPerEpoch: wholeNumber('stepsPerEpoch', 1).optional(),
  validationSteps: wholeNumber('validationSteps', 1).optional(),
  initialEpoch: wholeNumber('initialEpoch', 0).optional(),
  yieldEvery: z
    .custom<FitOptions['yieldEvery']>((value) => isYieldEvery(value), {
      error: ({ input }) =>
        `yieldEvery must be 'auto', 'batch', 'epoch', 'never' or a number of milliseconds above 0, got ${show(input)}`,
    })
    .optional(),
  workers: z
    .custom<number | 'auto'>((value) => value === 'auto' || isWorkerCount(value), {
      error: ({ input }) => `workers must be 'auto' or a whole number from 1 to ${MAXIMUM_WORKERS}, got ${show(input)}`,
    })
    .optional(),
  shards: wholeNumber('shards', 1).optional(),
  seed: wholeNumber('seed', 0).optional(),
  split: oneOf('split', [...SPLITS]).optional(),
  transport: oneOf('transport', [...TRANSPORTS]).optional(),
  batchStatistics: oneOf('batchStatistics', ['batch', 'shard']).optional(),
  gradientAccumulationSteps: wholeNumber('gradientAccumulationSteps', 1).optional(),
  engine: oneOf('engine', ['auto', 'onnx', 'tfjs']).optional(),
  modelModule: z
    .custom<string | URL>((value) => typeof value === 'string' || value instanceof URL, {
      error: ({ input }) => `modelModule must be a URL or a path, got ${show(input)}`,
    })
    .optional(),
  update: oneOf('update', UPDATE_RULES).optional(),
  maxStaleness: z
    .custom<number>((value) => value === Number.POSITIVE_INFINITY || isCount(value), {
      error: ({ input }) => `maxStaleness must be a whole number of at least 0 or Infinity, got ${show(input)}`,
    })
    .optional(),
  hogwildMomentum: oneOf('hogwildMomentum', ['shared', 'private']).optional(),
  syncEvery: wholeNumber('syncEvery', 1).optional(),
  outerMomentum: numberIn('outerMomentum', '[0, 1)', (n) => n >= 0 && n < 1).optional(),
  outerLearningRate: numberIn('outerLearningRate', '(0, inf)', (n) => n > 0).optional(),
  virtualWorkers: wholeNumber('virtualWorkers', 1, MAXIMUM_WORKERS).optional(),
  straggler: numberIn('straggler', '[1, inf)', (n) => n >= 1).optional(),
  optimizer: z
    .custom<Optimizer>(isOptimizer, {
      error: ({ input }) =>
        `optimizer must be sgd({ ... }), adam({ ... }) or another of shardfit's, got ${show(input)}`,
    })
    .optional(),
  signal: z
    .custom<AbortSignal>((value) => value instanceof AbortSignal, {
      error: ({ input }) => `signal must be an AbortSignal, as of new AbortController(), got ${show(input)}`,
    })
    .optional(),
  onProgress: z
    .custom<FitOptions['onProgress']>((value) => typeof value === 'function', {
      error: ({ input }) => `onProgress must be a function, got ${show(input)}`,
    })
    .optional(),
  onWarning: z
    .custom<FitOptions['onWarning']>((value) => typeof value === 'function', {
      error: ({ input }) => `onWarning must be a function, got ${show(input)}`,
    })
    .optional(),
});

/** Options for which a number is of the wrong type, not out of range. */
const NOT_NUMBERS = new Set([
  'callbacks',
  'validationData',
  'sampleWeight',
  'classWeight',
  'shuffle',
  'optimizer',
  'signal',
  'onProgress',
  'update',
  'engine',
  'modelModule',
  'hogwildMomentum',
  'split',
  'transport',
  'batchStatistics',
  'onWarning',
]);

/**
 * @throws TypeError for a value of the wrong type or an unknown option, RangeError for a number outside its range.
 */
export function checkOptions(options: FitOptions): void {
  const result = SCHEMA.safeParse(options, { reportInput: true });
  if (!result.success) throw toError(result.error.issues[0] as z.core.$ZodIssue);
}

function toError(issue: z.core.$ZodIssue): Error {
  if (issue.path.length === 0 && issue.code === 'invalid_type') {
    return new TypeError(`options must be an object, got ${show(issue.input)}`);
  }
  if (issue.code === 'unrecognized_keys') {
    return new TypeError(unknownOption('fit', issue.keys[0] ?? '', Object.keys(SCHEMA.shape)));
  }
  const outOfRange = typeof issue.input === 'number' && !NOT_NUMBERS.has(String(issue.path[0]));
  return outOfRange ? new RangeError(issue.message) : new TypeError(issue.message);
}
