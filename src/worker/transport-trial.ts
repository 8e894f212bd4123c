import type { Control } from '../common/control.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { FasterWay } from './faster-way.js';

/** What was found in this thread for the last training: the next one like it need not begin anew. */
let found: { kind: string; way: FasterWay } | undefined;

/** Decides for all workers whether they pull or push gradients and weights. */
export class TransportTrial {
  readonly #control: Control;
  /** Undefined where the choice is the user's. */
  readonly #way: FasterWay | undefined;
  #workers: number;
  /** Of the last decision; undefined at the beginning of a pass, before which time went into other things. */
  #last: number | undefined;

  /** @param always whether they push, faster or not. */
  constructor(control: Control, { parameters, shards, workers, programs }: ReplicaSetup, always: boolean) {
    this.#control = control;
    this.#workers = workers;
    if (!always) {
      const kind = `${parameters.length} ${shards} ${workers} ${programs.training[0]?.batchRows}`;
      if (found?.kind !== kind) found = { kind, way: new FasterWay() };
      this.#way = found.way;
      this.#way.resume();
    }
    control.pushing = this.#way?.isSecond ?? true;
  }

  /** A pass begins, with so many workers. */
  beginPass(workers: number): void {
    this.#last = undefined;
    if (workers !== this.#workers) this.#way?.restart();
    this.#workers = workers;
  }

  /** Decides how the next step goes. */
  decide(): void {
    if (!this.#way || this.#workers === 1) return;
    const now = performance.now();
    if (this.#last !== undefined) this.#control.pushing = this.#way.next(now - this.#last);
    this.#last = now;
  }
}
