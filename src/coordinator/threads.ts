import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ReplicaSetup } from '../common/protocol.js';
import type { WorkerTrial } from './worker-trial.js';

/** Threads that run one long task each: a worker of a training. piscina owns them. */
export class Threads {
  readonly count: number;
  readonly #pool: Piscina;

  constructor(count: number) {
    this.count = count;
    this.#pool = new Piscina({
      filename: new URL('../worker/entry.js', import.meta.url).href,
      minThreads: count,
      maxThreads: count,
      idleTimeout: Number.POSITIVE_INFINITY,
      // piscina's default would block the worker's event loop, and with it the control line.
      atomics: 'disabled',
    });
    // A lost thread ends the training: one started in its place would have nothing to do.
    this.#pool.options.minThreads = 0;
    // What happens to a thread without a task, on its way out: its loss has been noticed by the end of its task.
    this.#pool.on('error', () => {});
  }

  /** Gives a thread its task. Resolves when the task has ended. */
  run(setup: ReplicaSetup, port: MessagePort): Promise<unknown> {
    return this.#pool.run(setup, { transferList: [port] });
  }

  /** Ends the threads, whose tasks must have ended. */
  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Where a training has its threads from, and what becomes of them. */
export interface ThreadSource {
  /** Trials of numbers of workers that have ended, for trainings like those that made them; see `Training`. */
  readonly trials?: Map<string, WorkerTrial>;
  take(count: number): Threads;
  /** @param sound whether all of the threads ended their tasks as they were told to. */
  giveBack(threads: Threads, sound: boolean): Promise<void>;
}

/** Threads of one training alone. */
export const OWN_THREADS: ThreadSource = {
  take: (count) => new Threads(count),
  giveBack: (threads) => threads.end(),
};

/** Threads that are kept for the next training. One that begins while they are in use gets others. */
export class KeptThreads implements ThreadSource {
  readonly trials = new Map<string, WorkerTrial>();
  #idle: Threads | undefined;
  #ended = false;

  take(count: number): Threads {
    const idle = this.#idle;
    if (idle && idle.count >= count) {
      this.#idle = undefined;
      return idle;
    }
    return new Threads(count);
  }

  async giveBack(threads: Threads, sound: boolean): Promise<void> {
    const idle = this.#idle;
    if (this.#ended || !sound || (idle && idle.count >= threads.count)) return threads.end();
    this.#idle = threads;
    await idle?.end();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#idle?.end();
    this.#idle = undefined;
  }
}
