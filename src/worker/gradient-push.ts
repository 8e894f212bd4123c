import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import type { Control } from '../common/control.js';
import { type NonTemporalCopy, nonTemporalCopy } from '../common/non-temporal-copy.js';
import type { Push, ReplicaSetup } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import type { Shard } from './gradient-engine.js';
import { SlotTable, slotAddresses } from './slot-table.js';
import { TransportTrial } from './transport-trial.js';
import { ownSlice, type Route } from './updater.js';

/**
 * Gradients and new weights pushed from one worker to the others. Nobody reads a gradient where another worker's program has written it:
 * that worker sends the part that another adds up to a slot of its own (`pushed`). So no core stores into a cache line that another one has
 * read and that it trains or has a gradient for, but by non-temporal stores, which do not wait for it; the price is a way through memory.
 */
export class GradientPush {
  readonly #setup: ReplicaSetup;
  readonly #arena: Arena;
  readonly #control: Control;
  readonly #copy: NonTemporalCopy;
  /** Of the first rank. */
  readonly #trial: TransportTrial | undefined;
  /** For the updater; undefined where there are no others. */
  #route: Route | undefined;
  /** Bytes of a gradient that other workers add up. */
  #sent: Range[] = [];
  #isOn = false;
  #steps = 0;

  constructor(arena: Arena, control: Control, setup: ReplicaSetup, { address, always }: Push) {
    this.#setup = setup;
    this.#arena = arena;
    this.#control = control;
    this.#copy = nonTemporalCopy(address, arena);
    this.#trial = setup.rank === 0 ? new TransportTrial(control, setup, always) : undefined;
    this.shareAmong(setup.workers);
  }

  /** Goes by the shards and slices of parameters of the first `workers` workers. */
  shareAmong(workers: number): void {
    const { parameters, rank, shards } = this.#setup;
    this.#route = undefined;
    if (workers === 1 || rank >= workers) return;
    const own = piece(shards, workers, rank);
    const pushed = this.#arena.segment('pushed').offset;
    const [accumulator, ...written] = slotAddresses(this.#arena, parameters) as [number, ...number[]];
    const slots = written.map((address, shard) => {
      const isOwn = shard >= own.start && shard < own.start + own.count;
      return isOwn ? address : pushed + shard * parameters.replacedEnd * FLOAT_BYTES;
    });
    const table = new SlotTable(this.#arena, `pushedSlots${rank}`, [accumulator, ...slots]);
    this.#route = { slots: table, copy: this.#copy, stages: true };
    const { trained, replaced } = ownSlice(parameters, workers, rank);
    this.#sent = between([trained, replaced], parameters.replacedEnd * FLOAT_BYTES);
  }

  /** Whether gradients and weights are pushed in this step. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Takes in what was decided for this step, and gives what the updater is to go by: undefined where others pull. */
  beginStep(): Route | undefined {
    this.#isOn = this.#route !== undefined && this.#control.pushing;
    if (this.#isOn) this.#steps++;
    return this.#isOn ? this.#route : undefined;
  }

  /** The same at the beginning of a pass of so many workers, before its first step. */
  beginPass(workers: number): Route | undefined {
    this.#trial?.beginPass(workers);
    const route = this.beginStep();
    this.#steps = 0;
    return route;
  }

  /** Steps of this pass in which they were. */
  get steps(): number {
    return this.#steps;
  }

  /** Sends the gradients of shards to the workers that add them up, who find them behind the next meeting. */
  send(shards: readonly Shard[]): void {
    const { replacedEnd } = this.#setup.parameters;
    const [from, to] = [this.#arena.segment('gradients').offset, this.#arena.segment('pushed').offset];
    for (const { index } of shards) {
      for (const { start, count } of this.#sent) {
        const at = index * replacedEnd * FLOAT_BYTES + start;
        this.#copy(to + at, from + at, count);
      }
    }
  }

  /** Decides whether the next step's are pushed, for all workers. The first rank does, before they meet. */
  decide(): void {
    this.#trial?.decide();
  }
}

/** What of 0 to `end` is in none of some ranges, which come one behind the other. */
function between(ranges: readonly Range[], end: number): Range[] {
  const gaps: Range[] = [];
  let at = 0;
  for (const { start, count } of [...ranges, { start: end, count: 0 }]) {
    if (start > at) gaps.push({ start: at, count: start - at });
    at = start + count;
  }
  return gaps;
}
