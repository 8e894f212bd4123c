import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as tf from '@tensorflow/tfjs';
import type { Optimizer } from '../common/optimizers/index.js';
import type { SplitChoice } from '../common/shards.js';
import type { TransportChoice } from '../common/transport.js';
import type { SpeedModel, UpdateRule, UpdateRuleName } from '../common/update-rules.js';
import { standardizeCallbacks } from './callbacks.js';
import type { TensorInput } from './data-in.js';
import { checkOptions } from './option-schema.js';
import { resolveRule } from './rule-options.js';
import type { ClassWeight, SampleWeight } from './sample-weights.js';

/** Progress of a running `fit`, about ten times a second. */
export interface Progress {
  epoch: number;
  /** Epoch at which training ends. */
  epochs: number;
  /** Mini-batches done in this epoch, and their number, if it is known before the end. */
  step: number;
  steps?: number;
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
  callbacks?: tf.ModelFitArgs['callbacks'];
  /** Fraction in [0, 1) of the rows, the last ones, cut off before shuffling and never trained on. */
  validationSplit?: number;
  /** `[x, y]` or `[x, y, sampleWeight]`, measured after every epoch. Wins over `validationSplit`. */
  validationData?:
    | [TensorInput, TensorInput]
    | [TensorInput, TensorInput, SampleWeight]
    | tf.ModelFitArgs['validationData'];
  /**
   * What rows count in the loss: the mean over the rows of weight times loss. An array of one weight for each row; for several
   * outputs a list with one each, or an object by name. Metrics are not weighted. With `validationSplit`, cut like the rows.
   */
  sampleWeight?: SampleWeight;
  /** Weights by class number, as in tfjs: in training, not in validation. With `sampleWeight` they multiply. */
  classWeight?: ClassWeight;
  /** Whether rows are drawn in a new order every epoch. Default true. */
  shuffle?: boolean;
  /** Mini-batches after which an epoch ends: of rows drawn anew each epoch, or of the first rows without `shuffle`. Default: all of them. */
  stepsPerEpoch?: number;
  /** Mini-batches of the rows for validation, the first ones, that are measured. Default: all of them. */
  validationSteps?: number;
  /** Number of the first epoch, to go on where an earlier training ended. Default 0. */
  initialEpoch?: number;
  /** When tfjs' `onYield` is called. Training never holds up the event loop. */
  yieldEvery?: 'auto' | 'batch' | 'epoch' | 'never' | number;
  /**
   * Threads that train. They change the speed, not the result. Default 'auto': as many as the machine offers; under `sync` fewer of
   * them go on where that is not clear beforehand and the first mini-batches show it to be faster, and one alone where `shards` is left out, too, and the model says
   * beforehand that cutting its mini-batches would cost more than it saves.
   */
  workers?: number | 'auto';
  /** Pieces that each mini-batch is cut into. With `shards` fixed, results are the same bits for any number of workers. Default: one per worker; see there. */
  shards?: number;
  /**
   * Of `sync`: what the shards of a mini-batch share among them. 'rows': each has some of its rows, and their gradients are added up
   * (data parallelism). 'units': each has all rows, and some of the units of each dense layer, of which only it has weights and
   * gradients; they exchange activations instead (tensor parallelism), which is less where layers are large and mini-batches small.
   * 'auto', the default: what the model says beforehand will be faster.
   */
  split?: SplitChoice;
  /**
   * Of `sync`: how gradients and new weights get from one worker to the others. 'pull': they are read where they were written. 'push': who has
   * written them sends a copy to those who read them, past the caches; that needs Linux on x86-64, shares of rows, at least 1,024 weights for a worker,
   * no clipping by norm and gradients of at most 256 MiB in all shards, and is an error where several workers cannot have it. 'auto', the default: whichever is faster, which is tried while training goes on. It changes the speed, not the result.
   */
  transport?: TransportChoice;
  /**
   * Of `sync`: what a value over all rows of a mini-batch is, such as batch norm's mean. 'batch', the default: that of the
   * mini-batch, whatever its shards, for which the workers exchange sums. 'shard': that of each shard, cheaper and another
   * function for another number of shards (ghost batch norm). Under the other rules each shard is a batch of its own.
   */
  batchStatistics?: 'batch' | 'shard';
  /**
   * Of `sync`: mini-batches that make one update, with the mean of their gradients, as Keras' optimizers have it: an update as of a
   * larger batch in the memory of a smaller one. Those left over at the end of an epoch make one too. Default 1.
   */
  gradientAccumulationSteps?: number;
  /**
   * What computes the steps. 'onnx': the traced step in ONNX Runtime alone. 'tfjs': tfjs itself in every worker, much slower, on its
   * wasm backend if `@tensorflow/tfjs-backend-wasm` is installed, else on cpu. 'auto', the default: the traced step, in ONNX Runtime and, where that is faster, kernels and loops of our own; and 'tfjs' with a warning for a model that cannot be traced.
   */
  engine?: 'auto' | 'onnx' | 'tfjs';
  /**
   * Of the engine 'tfjs': URL or path of a module whose `build()` returns a new compiled model, for custom layers, losses and metrics,
   * which cannot be sent to the workers.
   */
  modelModule?: string | URL;
  /** What a mini-batch does to the weights. Default 'sync': one mini-batch, one update. */
  update?: UpdateRuleName;
  /** Of `per-shard`: mini-batches that the fastest worker may be ahead of the slowest. Default: no bound within an epoch. */
  maxStaleness?: number;
  /** Of `hogwild`: one velocity for all workers, or one each. Default 'shared'. */
  hogwildMomentum?: 'shared' | 'private';
  /** Of `local`: mini-batches from one averaging of the replicas to the next. Default 1. */
  syncEvery?: number;
  /** Of `local`: momentum and rate of an outer step on the averaged change. Default 0 and 1: take the average. */
  outerMomentum?: number;
  outerLearningRate?: number;
  /**
   * Simulated workers, one per shard, of seeded speeds. `per-shard` and `hogwild` then replay the schedule of those speeds, the
   * same to the bit every time; `sync` and `local` do as ever. `run.simulatedTime` says how long the workers would have taken.
   */
  virtualWorkers?: number;
  /** With `virtualWorkers`: how many times slower worker 0 is than it would be. Default 1. */
  straggler?: number;
  /** Whole number that fixes shuffling and dropout. Default: a new one every time. */
  seed?: number;
  /** Default: the optimizer the model was compiled with. */
  optimizer?: Optimizer;
  /** Ends training after the update it is at, and the wait for a callback half a second later. */
  signal?: AbortSignal;
  /** What it throws, or rejects with, ends training. */
  onProgress?: (progress: Progress) => unknown;
  /**
   * Told what is not done as asked for, before training or on the way, and that training diverges. Also in `run.warnings`. What it
   * throws ends training.
   */
  onWarning?: (message: string) => void;
}

/** Options with every default filled in. */
export type ResolvedOptions = Required<
  Pick<FitOptions, 'batchSize' | 'epochs' | 'validationSplit' | 'shuffle' | 'initialEpoch' | 'seed'>
> &
  Pick<
    FitOptions,
    | 'stepsPerEpoch'
    | 'validationSteps'
    | 'sampleWeight'
    | 'classWeight'
    | 'validationData'
    | 'optimizer'
    | 'signal'
    | 'onProgress'
    | 'onWarning'
  > & {
    workers: number;
    /** Whether fewer workers may be tried. */
    triesWorkers: boolean;
    /** Whether mini-batches may be left whole where cutting them costs more than it saves. */
    choosesShards: boolean;
    shards: number;
    split: SplitChoice;
    transport: TransportChoice;
    batchStatistics: 'batch' | 'shard';
    gradientAccumulationSteps: number;
    engine: 'auto' | 'onnx' | 'tfjs';
    modelModule: string | undefined;
    callbacks: tf.CustomCallback[];
    rule: UpdateRule;
    /** Set where workers are simulated. */
    speeds: SpeedModel | undefined;
  };

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError for a value of the wrong type or an unknown option, RangeError for one outside its range.
 */
export function resolveOptions(options: FitOptions = {}): ResolvedOptions {
  checkOptions(options);
  const { batchSize = 32, epochs = 1, validationSplit = 0, shuffle = true, initialEpoch = 0 } = options;
  const { rule, speeds, workers, shards } = resolveRule(options);
  const triesWorkers = rule.kind === 'sync' && !speeds && (options.workers ?? 'auto') === 'auto' && workers > 1;
  return {
    batchSize,
    epochs,
    validationSplit,
    shuffle,
    initialEpoch,
    rule,
    speeds,
    split: options.split ?? 'auto',
    transport: options.transport ?? 'auto',
    batchStatistics: options.batchStatistics ?? (rule.kind === 'sync' ? 'batch' : 'shard'),
    gradientAccumulationSteps: options.gradientAccumulationSteps ?? 1,
    engine: options.engine ?? 'auto',
    modelModule: urlOf(options.modelModule),
    workers,
    triesWorkers,
    choosesShards: triesWorkers && options.shards === undefined,
    shards,
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
    callbacks: standardizeCallbacks(options),
    stepsPerEpoch: options.stepsPerEpoch,
    validationSteps: options.validationSteps,
    validationData: options.validationData,
    sampleWeight: options.sampleWeight,
    classWeight: options.classWeight,
    optimizer: options.optimizer,
    signal: options.signal,
    onProgress: options.onProgress,
    onWarning: options.onWarning,
  };
}

/** @throws RangeError if there is no such file. */
function urlOf(module: string | URL | undefined): string | undefined {
  if (module === undefined) return undefined;
  const url = String(module).startsWith('file:') ? new URL(module) : pathToFileURL(resolve(String(module)));
  if (existsSync(url)) return url.href;
  throw new RangeError(`modelModule must be a module that exists, got ${String(module)}`);
}
