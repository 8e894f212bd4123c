import type { Arena } from '../common/arena.js';
import { Barrier } from '../common/barrier.js';
import { Control } from '../common/control.js';
import { clipsByNorm } from '../common/norm-blocks.js';
import type { Optimizer } from '../common/optimizers/index.js';
import type { StepProgram } from '../common/program.js';
import type { Column, EpochCounts, EpochPlan, EpochReport, Pass, ReplicaSetup, Work } from '../common/protocol.js';
import { piece, type Range } from '../common/shards.js';
import { type Kernels, loadKernels } from '../kernels/kernels.js';
import { type Batch, batchIn, batchOf, shardOf } from './batches.js';
import { Clocks } from './clocks.js';
import type { GradientEngine, Shard } from './gradient-engine.js';
import { GradientPush } from './gradient-push.js';
import { LocalReplicas } from './local-replicas.js';
import { OnnxEngine } from './onnx-engine.js';
import { OwnShards } from './own-shards.js';
import { PrivateMemory } from './private-memory.js';
import { privateSlices } from './private-slices.js';
import { trainByRule } from './rules/index.js';
import { Stopwatch } from './stopwatch.js';
import { ACCUMULATOR, ownSlice, type Slice, type Target, Updater } from './updater.js';

/** One worker's share of the training: its shards of every batch, its slice of the parameters. Rules are written in its verbs. */
export class Replica {
  readonly rank: number;
  readonly setup: ReplicaSetup;
  readonly control: Control;
  readonly clocks: Clocks;
  readonly local: LocalReplicas;
  readonly #engine: GradientEngine;
  /** Of the arena. */
  readonly #sharedUpdater: Updater;
  /** Of what the epoch is trained in. */
  #updater: Updater;
  #workers: number;
  #barrier: Barrier;
  #shards: OwnShards;
  /** Of the arena's parameters, those that this worker sees to. */
  #slice: Slice;
  /** Of the parameters where it trains, those that it updates. */
  #slices: Slice[];
  /** Where this worker trains, if nobody else needs to see it before the end of a pass. */
  #private: PrivateMemory | undefined;
  readonly #everything: Slice;
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #staleness: Int32Array;
  readonly #weights: Float32Array;
  /** How many weights have one. */
  readonly #constraints: number;
  /** Undefined where gradients and weights are only pulled. */
  readonly #push: GradientPush | undefined;
  readonly #watch = new Stopwatch();
  #stepsOfEpoch = 1;
  /** Mini-batch of the epoch, or of the validation set, that this worker is at. */
  step = 0;

  /** @param engine what computes the steps, if not ONNX Runtime. */
  constructor(setup: ReplicaSetup, arena: Arena, engine?: GradientEngine) {
    const { parameters, workers, rank } = setup;
    const kernels = loadKernels(setup.memory);
    this.rank = rank;
    this.#workers = workers;
    this.setup = setup;
    this.control = new Control(arena.ints('control'));
    this.clocks = new Clocks(arena.ints('clocks'), this.control, rank);
    this.#barrier = new Barrier(this.control, workers);
    this.#shards = new OwnShards(setup, workers, rank);
    this.#sharedUpdater = new Updater(
      arena,
      kernels,
      parameters,
      `gradientSlots${rank}`,
      arena.segment(`staged${rank}`),
    );
    this.#updater = this.#sharedUpdater;
    this.#slice = ownSlice(parameters, workers, rank);
    this.#slices = [this.#slice];
    this.#everything = ownSlice(parameters, 1, 0);
    this.#arena = arena;
    this.#kernels = kernels;
    this.#staleness = arena.ints('staleness');
    this.#weights = arena.floats('weights');
    this.#constraints = setup.programs.constraint.length;
    this.local = new LocalReplicas(arena, kernels, setup, this.#sharedUpdater);
    this.#push = setup.push && new GradientPush(arena, this.control, setup, setup.push);
    // The last: what it holds in ONNX Runtime is given back by `dispose` alone.
    this.#engine = engine ?? new OnnxEngine(arena, kernels, setup);
  }

  /** Takes in programs for more sizes of batches. */
  add(work: Work, programs: StepProgram[]): void {
    this.#engine.add(work, programs);
  }

  /** Sets what stateful layers carry from one mini-batch to the next to zero. */
  resetStates(): void {
    this.#engine.resetStates?.();
  }

  /** Trains the epochs of a plan by the rule in force. Blocks the thread until the last update. */
  trainEpoch(plan: EpochPlan): EpochReport {
    this.#watch.start();
    this.#workWith(plan.workers);
    this.#sharedUpdater.goBy(this.#push?.beginPass(plan.workers));
    this.#stepsOfEpoch = plan.steps;
    if (this.rank >= plan.workers) return this.#report({ steps: 0, updates: 0 });
    this.#engine.useData(plan.data, plan.shuffled);
    // An epoch that is trained piece by piece keeps its order.
    if (plan.shuffled && !plan.firstStep && plan.steps > 0) this.#shuffle(plan);
    return this.#trainsPrivately() ? this.#trainPrivately(plan) : this.#report(trainByRule(this, plan));
  }

  /**
   * Whether no other worker reads the weights that this one updates, or has gradients for them, and nothing else needs them in
   * the arena: programs of constraints, or tapes.
   */
  #trainsPrivately(): boolean {
    const { rule } = this.setup;
    const isAlone = rule.kind === 'sync' && this.#workers === 1;
    const isPossible = this.#engine.trainIn !== undefined && !this.#engine.usesTapes && this.#constraints === 0;
    if (this.sharesUnits && !isPossible) throw new Error('shards of units need memory of their own to train in');
    return (this.sharesUnits || isAlone) && isPossible;
  }

  #trainPrivately(plan: EpochPlan): EpochReport {
    this.#private ??= new PrivateMemory(this.#arena, this.setup.parameters);
    const memory = this.#private;
    const { read, published } = privateSlices(this.setup, this.#workers);
    this.#slices = read;
    memory.load(read);
    this.#engine.trainIn?.(memory.arena);
    this.#updater = memory.updater;
    try {
      const counts = trainByRule(this, plan);
      memory.publish(published);
      this.#watch.lap('compute');
      return this.#report(counts);
    } finally {
      this.#engine.trainIn?.(undefined);
      this.#updater = this.#sharedUpdater;
      this.#slices = [this.#slice];
    }
  }

  #report(counts: EpochCounts): EpochReport {
    const { tensorMemory } = this.#engine;
    const pushed = this.#push?.steps ?? 0;
    return { ...counts, maxLead: this.clocks.takeMaxLead(), pushed, time: this.#watch.time, tensorMemory };
  }

  /** Shares the work among the first `workers` workers. */
  #workWith(workers: number): void {
    if (workers === this.#workers) return;
    this.#workers = workers;
    this.#barrier = new Barrier(this.control, workers);
    this.#shards = new OwnShards(this.setup, workers, this.rank);
    this.#slice = ownSlice(this.setup.parameters, workers, this.rank);
    this.#slices = [this.#slice];
    this.#push?.shareAmong(workers);
  }

  /** Whether the shards of a mini-batch share the layers' units, so that each has the gradients of other weights. */
  get sharesUnits(): boolean {
    return this.setup.split === 'units';
  }

  /** Draws the order of the rows of the plan's epoch `i`. Here, not in the coordinator, whose event loop millions of rows would hold up. */
  #shuffle({ epoch, data }: EpochPlan, i = 0): void {
    const { key } = this.setup;
    const { offset } = this.#arena.segment('permutation');
    if (this.rank === 0) this.#kernels.shuffle(offset, data.rows, epoch + i, ...key);
    this.#watch.lap('gather');
    this.meet();
  }

  /** Forward passes and losses of this worker's shards of a data set. No meeting, unless a metric couples rows of several shards. */
  evaluate(pass: Pass): void {
    this.#workWith(this.setup.workers);
    this.#stepsOfEpoch = pass.steps;
    this.#engine.useData(pass.data, false);
    this.#engine.readWeights();
    for (let i = 0; i < pass.steps; i++) {
      const batch = batchOf(pass, i);
      this.control.throwIfAborted();
      this.step = batch.step;
      const meets = this.#engine.stages('evaluation', batch.rows.count) > 1;
      if (meets ? this.#allStop() : this.control.stopRequested) return;
      this.compute('evaluation', batch);
    }
  }

  /** The model's outputs for every `workers`-th batch of a data set, from this worker's first on. */
  predict(pass: Pass, outputs: Column[]): void {
    this.#engine.useData(pass.data, false);
    this.#engine.readWeights();
    for (let step = this.rank; step < pass.steps; step += this.setup.workers) {
      this.control.throwIfAborted();
      if (this.control.stopRequested) return;
      this.step = step;
      const { start, count } = batchOf(pass, step).rows;
      const whole = { index: 0, firstRow: 0, share: 1, batchRows: count, batchNumber: 0 };
      this.#engine.predict({ ...whole, start, rows: count, step }, outputs);
    }
  }

  /** Where workers meet they must all stop at the same mini-batch, and start it together: none reads old totals any more. */
  #allStop(): boolean {
    if (this.rank === 0) this.decideWhetherToStop();
    this.meet();
    return this.control.stopped;
  }

  /**
   * Goes on to mini-batch `i` of a plan, counted over all its epochs. Call it in order: between two epochs all workers meet where
   * rows are shuffled.
   */
  beginBatch(plan: EpochPlan, i: number): Batch {
    if (plan.shuffled && i > 0 && i % plan.steps === 0) this.#shuffle(plan, i / plan.steps);
    this.#sharedUpdater.goBy(this.#push?.beginStep());
    return batchIn(plan, i);
  }

  /** Runs `work` while no other worker runs any under this lock. */
  exclusively<T>(work: () => T): T {
    const result = this.control.exclusively(() => {
      this.#watch.lap('wait');
      return work();
    });
    this.#watch.lap('wait');
    return result;
  }

  /** The non-empty shards of a batch that are this worker's, as batches of their own. */
  shardsOf(batch: Batch): readonly Shard[] {
    return this.#shards.asBatches(batch);
  }

  /** Shard `index` of a batch as a batch of its own, whoever's it is; undefined if it has no rows. */
  shardOf(batch: Batch, index: number): Shard | undefined {
    return shardOf(batch, index, this.setup.shards, false);
  }

  /** Takes the weights as they are, or those of a replica, for the gradients that follow. */
  readWeights(replica?: Float32Array): void {
    this.#engine.readWeights(replica);
    this.#watch.lap('compute');
  }

  /** Fills the gradient slot and logs of a shard that is a batch of its own. */
  computeGradient(shard: Shard): void {
    this.#runStage('training', shard, 0);
  }

  /**
   * Fills the gradient slots, in training, and logs of this worker's shards of a batch. Where shards exchange anything in the middle
   * of a step, all workers go through its stages together and work out in between what they go on with.
   */
  compute(work: Work, batch: Batch): void {
    const shards = this.#shards.asParts(work, batch);
    const stages = this.#engine.stages(work, batch.rows.count);
    for (let stage = 0; stage < stages; stage++) {
      if (stage > 0) this.#exchange(work, batch, shards, stage - 1);
      for (const shard of shards) this.#runStage(work, shard, stage);
    }
  }

  /** Sends the gradients of this worker's shards to those who add them up, in a step in which gradients are pushed. */
  pushGradients(batch: Batch): void {
    if (!this.#push?.isOn) return;
    this.#push.send(this.#shards.asParts('training', batch));
    this.#watch.lap('exchange');
  }

  /** Works out what the stages behind `stage` need of all shards of a batch. */
  #exchange(work: Work, { rows: { count } }: Batch, shards: readonly Shard[], stage: number): void {
    this.#barrier.wait(); // all parts of the totals are there
    const own = shards.map(({ index }) => index);
    this.#engine.exchange(work, count, stage, this.#shards.active(work, count), own);
    this.#watch.lap('exchange');
  }

  #runStage(work: Work, shard: Shard, stage: number): void {
    this.step = shard.step % this.#stepsOfEpoch;
    if (stage === 0) {
      this.#engine.gather(work, shard);
      this.#watch.lap('gather');
    }
    this.#engine.run(work, shard, stage);
    this.#watch.lap('compute');
  }

  /** Adds the gradient of a batch to those of the `before` batches of the same update, on this worker's slice of the parameters. */
  accumulate(batch: Batch, before: number): void {
    const count = this.#shards.gradientSlots(batch);
    for (const slice of this.#slices) this.#updater.accumulate(count, slice, before === 0);
    this.#watch.lap('reduce');
  }

  /** Gives weights that are replaced the values that a batch has for them, on this worker's slice of the parameters. */
  replaceStates(batch: Batch): void {
    const { trainedEnd, replacedEnd } = this.setup.parameters;
    if (replacedEnd === trainedEnd) return;
    const slots = this.#slotsOf(batch);
    for (const slice of this.#slices) this.#updater.replace(this.#updater.own, slots, slice);
    this.#watch.lap('reduce');
  }

  /** Updates the weights with the gradient of a batch, on this worker's slice of the parameters. */
  applySum(batch: Batch, optimizer: Optimizer, t: number): void {
    this.#descend(this.#slotsOf(batch), optimizer, t, 1);
  }

  /** Updates the weights with the mean gradient of `count` batches that were accumulated. */
  applyAccumulated(count: number, optimizer: Optimizer, t: number): void {
    // The blocks of a norm reach into slices that other workers add up.
    if (clipsByNorm(optimizer)) this.meet();
    this.#descend({ start: ACCUMULATOR, count: 1 }, optimizer, t, 1 / count);
  }

  /** Applies the constraints of weights, which all workers have updated by then. Each worker sees to some of the weights. */
  constrainTogether(): void {
    if (this.#constraints === 0) return;
    this.meet();
    this.#constrain(this.#weights, this.rank, this.#workers);
    this.#watch.lap('reduce');
  }

  /** Applies all constraints of weights: to those of the arena, or of a replica. */
  constrain(weights = this.#weights): void {
    this.#constrain(weights, 0, 1);
    this.#watch.lap('reduce');
  }

  #constrain(weights: Float32Array, first: number, step: number): void {
    for (let i = first; i < this.#constraints; i += step) this.#engine.constrain(i, weights);
  }

  #descend(slots: Range, optimizer: Optimizer, t: number, share: number): void {
    const updater = this.#updater;
    if (clipsByNorm(optimizer)) {
      updater.reduceNorms(slots, piece(updater.norms.blocks, this.#workers, this.rank), 0);
      this.#watch.lap('reduce');
      this.meet(); // the norm is that of the whole gradient
    }
    for (const slice of this.#slices) updater.apply(updater.own, slots, slice, optimizer, t, 0, share);
    this.#watch.lap('reduce');
  }

  /** The gradient slots of a batch. */
  #slotsOf(batch: Batch): Range {
    return { start: 0, count: this.#shards.gradientSlots(batch) };
  }

  /**
   * Applies one shard's gradient to all of the weights, as an update of its own.
   *
   * @param version updates that stood in the weights when the gradient was computed on them.
   * @param slots index of the optimizer state to use, where there are several.
   */
  applyShard(shard: Shard, version: number, optimizer: Optimizer, slots = 0): void {
    this.applyPiece(shard, this.countUpdate(shard, version), optimizer, [0, 1], slots);
  }

  /** Counts one more update and notes its staleness. Returns the updates made before it. */
  countUpdate(shard: Shard, version: number): number {
    const t = this.control.countUpdate();
    this.#staleness[shard.step * this.setup.shards + shard.index] = t - version;
    return t;
  }

  /** Applies piece `index` of `pieces` of one shard's gradient to the arena's weights. */
  applyPiece(shard: Shard, t: number, optimizer: Optimizer, [index, pieces]: [number, number], slots: number): void {
    const target = { ...this.#updater.own, slots: this.#updater.slotsAt(slots, optimizer) };
    this.applyTo(target, shard, optimizer, t, ownSlice(this.setup.parameters, pieces, index));
  }

  /** Applies one shard's gradient to `target`, all of it or a slice. */
  applyTo(target: Target, shard: Shard, optimizer: Optimizer, t: number, slice = this.#everything): void {
    const slots = { start: shard.index, count: 1 };
    if (clipsByNorm(optimizer)) {
      this.#updater.reduceNorms(slots, { start: 0, count: this.#updater.norms.blocks }, this.rank);
    }
    this.#updater.apply(target, slots, slice, optimizer, t, this.rank);
    this.#updater.replace(target, slots, slice);
    this.#watch.lap('reduce');
  }

  /** Two numbers in [0, 1) of the seeded generator. `stream` must be none that programs draw from. */
  uniformPair(row: number, time: number, stream: number): [number, number] {
    const { key, rank } = this.setup;
    const scratch = this.#arena.floats(`random${rank}`);
    this.#kernels.fillUniform(scratch.byteOffset, row, 1, 2, time, stream, key[0], key[1]);
    return [scratch[0] as number, scratch[1] as number];
  }

  /** Waits until every worker has come here. */
  meet(): void {
    this.#barrier.wait();
    this.#watch.lap('wait');
  }

  /** Waits until the slowest worker is at most `lead` mini-batches behind this one, which is about to begin `step`. */
  waitForSlowest(step: number, lead: number): void {
    this.clocks.waitForSlowest(step, lead);
    this.#watch.lap('wait');
  }

  /** Averages the local replicas over this worker's slice. All workers call it together. */
  averageReplicas(): void {
    this.meet();
    this.local.average(this.#slice);
    this.#watch.lap('reduce');
    // Alone and without an outer step, a replica is its own average, whose constraints are met.
    if (this.local.changesWeights && this.#constraints > 0) {
      this.constrainTogether();
      this.meet();
      this.local.spread(this.#slice);
      this.#watch.lap('reduce');
    }
    this.meet();
  }

  /** One rank reads the request and all obey what it wrote, so that no one is a step ahead when training ends. */
  decideWhetherToStop(): void {
    if (this.control.stopRequested) this.control.stopped = true;
  }

  /** The same at the end of a step of training, and how gradients and weights go between workers in the next one. */
  decideHowToGoOn(): void {
    this.decideWhetherToStop();
    this.#push?.decide();
  }

  dispose(): void {
    this.#engine.dispose();
    this.#private?.[Symbol.dispose]();
  }
}
