import type * as tf from '@tensorflow/tfjs';
import type { WeightList } from './model-weights.js';
import type { StateResets } from './stateful.js';

/** A weight with the tfjs variable behind it, whose data is another after every assignment. */
interface OpenWeight {
  val: { dataId: object };
}

/**
 * Notices what a callback changes during an epoch, when workers are ahead: it cannot be applied where it happened, as tfjs'
 * `model.fit` does.
 */
export class HookWatch {
  readonly #model: tf.LayersModel;
  readonly #weights: WeightList;
  readonly #hasOwnOptimizer: boolean;
  readonly #told = new Set<string>();
  readonly #resets: StateResets;
  #rate = Number.NaN;
  #dataIds: object[] = [];

  /** @param hasOwnOptimizer whether `fit` was given an optimizer, in place of that of `compile`. */
  constructor(model: tf.LayersModel, weights: WeightList, hasOwnOptimizer: boolean, resets: StateResets) {
    this.#model = model;
    this.#weights = weights;
    this.#resets = resets;
    this.#hasOwnOptimizer = hasOwnOptimizer;
  }

  /** Takes what there is now for unchanged. */
  begin(): void {
    this.#rate = this.#rateNow();
    this.#dataIds = this.#dataIdsNow();
  }

  /** What has changed since then, each sentence once. */
  warnings(): string[] {
    const found: string[] = [];
    if (!Object.is(this.#rateNow(), this.#rate)) {
      found.push(
        this.#hasOwnOptimizer
          ? 'a callback changed the learning rate of the optimizer of compile, but fit was given another one: that has no effect'
          : 'a callback changed the learning rate during an epoch: workers are ahead of onBatchBegin and onBatchEnd, so that ' +
              'it takes effect with the next epoch; change it in onEpochBegin or onEpochEnd, or give a schedule',
      );
    }
    if (this.#resets.asked) {
      found.push(
        'a callback reset the states of the model during an epoch: workers are ahead of onBatchBegin and onBatchEnd, so that ' +
          'it takes effect with the next epoch; reset them in onEpochBegin or onEpochEnd',
      );
    }
    if (this.#dataIdsNow().some((dataId, i) => dataId !== this.#dataIds[i])) {
      found.push(
        "a callback changed the model's weights during an epoch: workers are ahead of onBatchBegin and onBatchEnd, so that " +
          'it has no effect; change them in onEpochBegin or onEpochEnd',
      );
    }
    return found.filter((warning) => !this.#told.has(warning) && this.#told.add(warning));
  }

  #rateNow(): number {
    return (this.#model.optimizer as unknown as { learningRate: number }).learningRate;
  }

  #dataIdsNow(): object[] {
    return (this.#weights.weights as unknown as OpenWeight[]).map(({ val }) => val.dataId);
  }
}
