import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import type { Optimizer } from '../common/optimizers/index.js';
import type { ReplicaSetup } from '../common/protocol.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Slice, Target, Updater } from './updater.js';

/** Weights of their own for every shard, for training that meets only now and then. */
export class LocalReplicas {
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #setup: ReplicaSetup;
  readonly #updater: Updater;

  constructor(arena: Arena, kernels: Kernels, setup: ReplicaSetup, updater: Updater) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#setup = setup;
    this.#updater = updater;
  }

  /** Weights of the replica of a shard. */
  weights(shard: number): Float32Array {
    const length = this.#setup.parameters.replacedEnd;
    return this.#arena.floats('replicas').subarray(shard * length, (shard + 1) * length);
  }

  target(shard: number, optimizer: Optimizer): Target {
    return { weights: this.weights(shard).byteOffset, slots: this.#updater.slotsAt(shard, optimizer) };
  }

  /** Lets every replica of this worker's begin at the arena's weights. */
  begin(shards: Iterable<number>): void {
    for (const shard of shards) {
      this.weights(shard).set(this.#arena.floats('weights').subarray(0, this.#setup.parameters.replacedEnd));
    }
  }

  /** Notes that a replica has trained on so many more rows since the last average. */
  countRows(shard: number, rows: number): void {
    const counts = this.#arena.ints('replicaRows');
    counts[shard] = (counts[shard] as number) + rows;
  }

  /** Begins to count anew. */
  resetRows(shards: Iterable<number>): void {
    for (const shard of shards) this.#arena.ints('replicaRows')[shard] = 0;
  }

  /** Whether averaging makes other weights than the replicas had before. */
  get changesWeights(): boolean {
    const { rule, shards } = this.#setup;
    return shards > 1 || (rule.kind === 'local' && (rule.outerMomentum !== 0 || rule.outerLearningRate !== 1));
  }

  /** Gives all replicas the arena's weights, over a slice. */
  spread({ trained }: Slice): void {
    const [start, end] = [trained.start / FLOAT_BYTES, (trained.start + trained.count) / FLOAT_BYTES];
    const weights = this.#arena.floats('weights').subarray(start, end);
    for (let shard = 0; shard < this.#setup.shards; shard++) this.weights(shard).set(weights, start);
  }

  /** Averages all replicas, by the rows they trained on, into the arena's weights and back into the replicas. */
  average({ trained, replaced }: Slice): void {
    const { rule, shards, parameters } = this.#setup;
    if (rule.kind !== 'local') throw new Error(`the rule '${rule.kind}' has no replicas to average`);
    const sharesAt = this.#writeShares();
    const [weights, replicas] = [this.#arena.segment('weights').offset, this.#arena.segment('replicas').offset];
    const stride = parameters.replacedEnd * FLOAT_BYTES;
    const plain = ({ start, count }: Slice['trained']) =>
      this.#kernels.averageReplicas(weights, replicas, stride, shards, sharesAt, start, start + count);
    plain(replaced);
    if (rule.outerMomentum === 0 && rule.outerLearningRate === 1) {
      plain(trained);
      return;
    }
    this.#kernels.averageReplicasOuter(
      weights,
      replicas,
      stride,
      shards,
      sharesAt,
      trained.start,
      trained.start + trained.count,
      this.#arena.segment('outerVelocity').offset,
      rule.outerMomentum,
      rule.outerLearningRate,
    );
  }

  /** Each worker works the shares out for itself: the counts do not change between the two meetings. */
  #writeShares(): number {
    const { shards, rank } = this.#setup;
    const counts = this.#arena.ints('replicaRows');
    const total = counts.reduce((a, b) => a + b, 0);
    const shares = this.#arena.floats(`shares${rank}`);
    for (let shard = 0; shard < shards; shard++) shares[shard] = (counts[shard] as number) / total;
    return shares.byteOffset;
  }
}
