import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { CallbackList } from '@tensorflow/tfjs';
import type { Control } from '../common/control.js';
import type { EpochLogs } from './epoch-logs.js';
import type { Progress } from './options.js';

/** Milliseconds between two looks at what the workers have done: often enough for an eye, seldom enough to cost nothing. */
const INTERVAL = 100;

/** Milliseconds that reports of mini-batches may hold up the event loop before timers and I/O get their turn. */
const TURN = 8;

export interface Follower {
  control: Control;
  logs: EpochLogs;
  /** Called for every mini-batch, after it was done; workers are ahead by then. */
  callbacks: CallbackList | undefined;
  onProgress: ((state: Pick<Progress, 'step' | 'rows' | 'logs'>) => unknown) | undefined;
  /** Called when callbacks have been told of some mini-batches. */
  afterCallbacks: () => void;
  /** Whether a callback, or anyone who holds the model, has asked for the end of training. */
  stopAsked: () => boolean;
}

/**
 * Reports on an epoch while the workers train it, from the control words and logs alone. Resolves when `training` has and
 * everything is reported. If a callback throws, ends the epoch at a whole update and passes the error on.
 */
export async function followEpoch<T>(training: Promise<T>, follower: Follower): Promise<T> {
  const ended = new AbortController();
  const end = () => ended.abort();
  training.then(end, end);
  try {
    for (let last = false; !last; ) {
      await delay(INTERVAL, undefined, { signal: ended.signal }).catch(() => {});
      // Seen before the report: what the workers do during it is left for one more.
      last = ended.signal.aborted;
      await report(follower);
    }
  } catch (error) {
    follower.control.requestStop();
    await training;
    throw error;
  }
  return training;
}

async function report({ control, logs, callbacks, afterCallbacks, onProgress, stopAsked }: Follower): Promise<void> {
  const steps = control.stepsDone;
  if (!callbacks) logs.advance(steps);
  let turn = performance.now();
  while (logs.stepsOfPass < steps) {
    await callbacks?.onBatchBegin(logs.steps, {});
    const { step, size, logs: values } = logs.next();
    await callbacks?.onBatchEnd(step, { batch: step, size, ...values });
    if (stopAsked()) control.requestStop();
    if (performance.now() - turn > TURN) {
      await nextTurn();
      turn = performance.now();
    }
  }
  if (callbacks) afterCallbacks();
  if (stopAsked()) control.requestStop();
  if (logs.steps > 0) await onProgress?.({ step: logs.steps, rows: logs.rows, logs: logs.means() });
}
