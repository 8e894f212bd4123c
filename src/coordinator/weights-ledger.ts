import type * as tf from '@tensorflow/tfjs';
import type { Arena } from '../common/arena.js';
import { copyValues } from '../common/copy.js';
import type { Optimizer } from '../common/optimizers/index.js';
import { readWeights, type WeightList, writeWeights } from './model-weights.js';
import { type OptimizerState, rememberState } from './optimizer-state.js';
import { type Layouts, toModel } from './parameter-layouts.js';

/**
 * Carries weights between the arena and the model, and keeps those of the last point at which they were known to be whole:
 * a thread that is lost may leave the arena's in the middle of an update.
 */
export class WeightsLedger {
  readonly #model: tf.LayersModel;
  readonly #weights: WeightList;
  readonly #arena: Arena;
  readonly #layouts: Layouts;
  /** Which arrangement of optimizer states the slots have; see `OptimizerState`. */
  readonly #arrangement: string;
  #whole: { weights: Float32Array; state: OptimizerState; optimizer: Optimizer } | undefined;

  constructor(model: tf.LayersModel, weights: WeightList, arena: Arena, layouts: Layouts, arrangement: string) {
    this.#model = model;
    this.#weights = weights;
    this.#arena = arena;
    this.#layouts = layouts;
    this.#arrangement = arrangement;
  }

  /** Copies weights and optimizer state, which are whole now, over the last copy, unless that was published: its arrays are others' then. */
  save(counts: Pick<OptimizerState, 'updates' | 'batches'>, optimizer: Optimizer): void {
    const last = this.#whole;
    const slots = this.#copy('slots', last?.state.slots);
    const outerVelocity = this.#copy('outerVelocity', last?.state.outerVelocity);
    const state = { ...counts, slots, outerVelocity, arrangement: this.#arrangement };
    this.#whole = { weights: this.#copy('weights', last?.weights), state, optimizer };
  }

  #copy(segment: string, into: Float32Array | undefined): Float32Array {
    const values = this.#arena.floats(segment);
    const copy = into ?? new Float32Array(values.length);
    copyValues(values, copy);
    return copy;
  }

  /**
   * Gives the model the last whole weights, and the next fit the optimizer's state. What a callback makes of the model's
   * weights after that is not written over.
   */
  publish(): void {
    if (!this.#whole) return;
    const { weights, state, optimizer } = this.#whole;
    this.#whole = undefined;
    writeWeights(this.#weights, this.#layouts.arena.parameters, weights);
    rememberState(this.#model, optimizer, {
      ...state,
      slots: toModel(state.slots, this.#layouts),
      outerVelocity: toModel(state.outerVelocity, this.#layouts),
    });
  }

  /** Takes over weights that a callback may have changed in the model. */
  takeOver(): void {
    readWeights(this.#weights, this.#layouts.arena.parameters, this.#arena.floats('weights'));
  }
}
