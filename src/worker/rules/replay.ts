import type { EpochCounts, EpochPlan } from '../../common/protocol.js';
import type { HogwildRule, PerShardRule, SpeedModel } from '../../common/update-rules.js';
import { type Batch, batchesIn, batchIn } from '../batches.js';
import type { Shard } from '../gradient-engine.js';
import type { Replica } from '../replica.js';
import { shardTime } from '../simulated-time.js';

/** Pieces in which a simulated hogwild worker writes its update, so that others read weights that are half old, half new. */
const HOGWILD_PIECES = 8;

/** Time that writing one piece takes, as a share of the time the gradient took. */
const PIECE_SHARE = 0.01;

/** A simulated worker that has computed a gradient and is about to write the next piece of it. */
interface Running {
  worker: number;
  shard: Shard;
  /** Updates in the weights when its gradient was computed. */
  version: number;
  /** Updates in the weights when it began to write. */
  t: number;
  /** Simulated time of the next piece, and between pieces. */
  at: number;
  pause: number;
  piece: number;
}

/**
 * Replays an asynchronous schedule of as many simulated workers as there are shards, in one thread and in the order of
 * simulated time: the same rule, the same bits every time, staleness of sixty-four workers on two cores.
 *
 * A gradient is computed at the moment its worker begins, on the weights of that moment, and applied at the moment the
 * worker would be done: in between, those who are done sooner apply theirs.
 */
export function replay(
  replica: Replica,
  plan: EpochPlan,
  rule: PerShardRule | HogwildRule,
  speeds: SpeedModel,
): EpochCounts {
  const schedule = new Schedule(replica, plan, rule, speeds);
  return schedule.run();
}

class Schedule {
  readonly #replica: Replica;
  readonly #plan: EpochPlan;
  readonly #rule: PerShardRule | HogwildRule;
  readonly #speeds: SpeedModel;
  readonly #batches: Batch[];
  /** Mini-batches each worker is done with. */
  readonly #clocks: number[];
  readonly #pieces: number;
  readonly #running: Running[] = [];
  #now = 0;
  #updates = 0;
  #mostBegun = 0;

  constructor(replica: Replica, plan: EpochPlan, rule: PerShardRule | HogwildRule, speeds: SpeedModel) {
    this.#replica = replica;
    this.#plan = plan;
    this.#rule = rule;
    this.#speeds = speeds;
    this.#batches = Array.from({ length: batchesIn(plan) }, (_, i) => batchIn(plan, i));
    this.#clocks = Array.from({ length: replica.setup.shards }, () => 0);
    this.#pieces = rule.kind === 'hogwild' ? HOGWILD_PIECES : 1;
  }

  run(): EpochCounts {
    this.#beginAll();
    for (let next = this.#takeNext(); next; next = this.#takeNext()) {
      this.#now = next.at;
      this.#writePiece(next);
      if (next.piece < this.#pieces) {
        this.#running.push({ ...next, at: next.at + next.pause });
        continue;
      }
      this.#clocks[next.worker] = next.shard.step + 1;
      this.#beginAll();
      // Behind it: a worker without rows in a batch is done with it as soon as it may begin.
      this.#replica.control.raiseStepsDone(this.#slowest);
    }
    return { steps: this.#slowest, updates: this.#updates, simulatedTime: this.#now };
  }

  get #slowest(): number {
    return Math.min(...this.#clocks);
  }

  /** Lets every idle worker begin that may. */
  #beginAll(): void {
    const busy = new Set(this.#running.map(({ worker }) => worker));
    let skipped = true;
    // A worker without rows in a batch is done with it at once, which may free others.
    while (skipped) {
      skipped = false;
      for (let worker = 0; worker < this.#clocks.length; worker++) {
        if (!busy.has(worker) && this.#begin(worker, busy)) skipped = true;
      }
    }
  }

  /** @returns whether the worker was done with a batch at once, having no rows in it. */
  #begin(worker: number, busy: Set<number>): boolean {
    const { control, clocks } = this.#replica;
    const step = this.#clocks[worker] as number;
    const batch = this.#batches[step];
    const lead = step - this.#slowest;
    if (!batch || (this.#rule.kind === 'per-shard' && lead > this.#rule.maxStaleness)) return false;
    if (!this.#mayBegin(step)) return false;
    const shard = this.#replica.shardOf(batch, worker);
    if (!shard) {
      this.#clocks[worker] = step + 1;
      return true;
    }
    clocks.noteLead(lead);
    const { version } = control;
    this.#replica.readWeights();
    this.#replica.computeGradient(shard);
    const time = shardTime(this.#replica, shard, this.#speeds);
    const running = { worker, shard, version, t: 0, at: this.#now + time, pause: time * PIECE_SHARE, piece: 0 };
    this.#running.push(running);
    busy.add(worker);
    return false;
  }

  /** After a request to stop, all workers still finish the mini-batches that one of them has begun. */
  #mayBegin(step: number): boolean {
    if (this.#replica.control.stopRequested) return step < this.#mostBegun;
    this.#mostBegun = Math.max(this.#mostBegun, step + 1);
    return true;
  }

  #takeNext(): Running | undefined {
    let first = 0;
    this.#running.forEach((running, i) => {
      const best = this.#running[first] as Running;
      if (running.at < best.at || (running.at === best.at && running.worker < best.worker)) first = i;
    });
    return this.#running.splice(first, 1)[0];
  }

  #writePiece(running: Running): void {
    const { optimizer } = this.#plan;
    if (running.piece === 0) {
      running.t = this.#replica.countUpdate(running.shard, running.version);
      this.#updates++;
    }
    const slots = this.#rule.kind === 'hogwild' && this.#rule.momentum === 'private' ? running.worker : 0;
    this.#replica.applyPiece(running.shard, running.t, optimizer, [running.piece, this.#pieces], slots);
    running.piece++;
    if (running.piece === this.#pieces) this.#replica.constrain();
  }
}
