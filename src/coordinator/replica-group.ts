import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type Remote, wrapPort } from '../common/comlink.js';
import { AbortedError, type Control } from '../common/control.js';
import type { ReplicaApi, ReplicaSetup } from '../common/protocol.js';
import { OWN_THREADS, type ThreadSource, type Threads } from './threads.js';

/** What every worker is told alike. */
export type GroupSetup = Omit<ReplicaSetup, 'rank' | 'port'>;

interface Member {
  api: Remote<ReplicaApi>;
  port: MessagePort;
  /** Settles when the worker's task has ended. */
  task: Promise<unknown>;
}

/**
 * The workers that train one model: one long task in each of its threads, to which comlink carries calls.
 *
 * A thread is never ended from outside: what its programs hold in ONNX Runtime would be lost. Workers are told to stop by a
 * control word, and the threads go once their tasks have returned.
 */
export class ReplicaGroup implements AsyncDisposable {
  readonly #source: ThreadSource;
  readonly #threads: Threads;
  readonly #control: Control;
  readonly #members: Member[];
  /** Rejects when a thread ends before it was told to. */
  readonly #lost: Promise<never>;
  #closing = false;
  #sound = true;

  constructor(setup: GroupSetup, control: Control, source: ThreadSource = OWN_THREADS) {
    this.#control = control;
    this.#source = source;
    this.#threads = source.take(setup.workers);
    this.#members = Array.from({ length: setup.workers }, (_, rank) => this.#start(setup, rank));
    this.#lost = Promise.race(this.#members.map(({ task }, rank) => this.#watch(task, rank)));
    this.#lost.catch(() => {});
  }

  /**
   * Makes one call to every worker and returns the answers in the order of ranks.
   *
   * @throws Error with the cause, if any worker fails or its thread is lost.
   */
  async all<T>(call: (worker: Remote<ReplicaApi>) => Promise<T>): Promise<T[]> {
    const answers = Promise.allSettled(this.#members.map(({ api }) => call(api)));
    const settled = await Promise.race([answers, this.#lost]);
    const failures = settled.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason as Error);
    // One worker's failure ends the wait of the others: theirs are consequences.
    const cause = failures.find(({ name }) => name !== AbortedError.name) ?? failures[0];
    if (cause) throw cause;
    return settled.map((answer) => (answer as PromiseFulfilledResult<Awaited<T>>).value);
  }

  /** Ends every worker's task and gives its thread back. Safe to call at any time, and twice. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const { api } of this.#members) api.close().catch(() => {});
    await Promise.allSettled(this.#members.map(({ task }) => task));
    for (const { port } of this.#members) port.close();
    await this.#source.giveBack(this.#threads, this.#sound);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #start(setup: GroupSetup, rank: number): Member {
    const { port1, port2 } = new MessageChannel();
    const task = this.#threads.run({ ...setup, rank, port: port2 }, port2);
    task.catch(() => {});
    return { api: wrapPort<ReplicaApi>(port1), port: port1, task };
  }

  /** Turns the end of a task that should still run into an error, and frees all who would wait for that worker. */
  async #watch(task: Promise<unknown>, rank: number): Promise<never> {
    const reason = await task.then(
      () => 'its task ended early',
      (error: Error) => error.message,
    );
    if (this.#closing) return new Promise<never>(() => {});
    this.#sound = false;
    this.#control.abort(rank);
    throw new Error(`worker ${rank} was lost: ${reason}`);
  }
}
