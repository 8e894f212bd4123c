/** Which inputs of the step are cut into pieces, and along which axis. Found while the step is gone through, input by input. */
import type { InputRole } from '../../../common/program.js';
import { ELEMENTWISE } from '../../graph/operators.js';
import type { Value } from '../../graph/value.js';

/** Thrown when one more input turns out to be cut, or not: what came before must be done again. */
export class CutDecided extends Error {
  override name = 'CutDecided';
}

export class UnitCut {
  readonly #roles: ReadonlyMap<string, InputRole>;
  /** By name of the input; null for one that stays whole. */
  readonly #axes = new Map<string, number | null>();

  constructor(roles: ReadonlyMap<string, InputRole>) {
    this.#roles = roles;
  }

  /** The axis along which an input is cut; null if it has been found to stay whole, undefined if nothing is known yet. */
  axisOf(name: string): number | null | undefined {
    return this.#axes.get(name);
  }

  /** Weights that are cut: axes by index in `model.weights`. */
  get weights(): Map<number, number> {
    const weights = new Map<number, number>();
    for (const [name, axis] of this.#axes) {
      const role = this.#roles.get(name);
      if (axis !== null && role?.kind === 'weight') weights.set(role.index, axis);
    }
    return weights;
  }

  /** Whether nothing has been decided about this matrix of weights yet. */
  isOpenMatrix(value: Value): boolean {
    return (
      value.op === 'Input' &&
      value.shape.length === 2 &&
      this.#roles.get(nameOf(value))?.kind === 'weight' &&
      this.axisOf(nameOf(value)) === undefined
    );
  }

  /** @throws CutDecided */
  decide(input: Value, axis: number | null): never {
    this.#axes.set(nameOf(input), axis);
    throw new CutDecided();
  }

  /**
   * Has each shard make but its piece of `value` along `axis`, if it is made of nothing but inputs that can be cut: biases,
   * random numbers.
   *
   * @throws CutDecided if it is, and was not yet.
   */
  cutAtTheSource(value: Value, axis: number): void {
    const found = new Map<string, number>();
    if (!this.#collect(value, axis, found)) return;
    let isNew = false;
    for (const [name, along] of found) {
      isNew ||= this.#axes.get(name) === undefined;
      this.#axes.set(name, along);
    }
    if (isNew) throw new CutDecided();
  }

  #collect(value: Value, axis: number, found: Map<string, number>): boolean {
    if (axis < 0 || value.shape[axis] === 1) return true;
    if (value.splat !== undefined) return true;
    if (value.op === 'Input') return this.#collectInput(value, axis, found);
    if (!ELEMENTWISE.has(value.op)) return false;
    return value.inputs.every((input) => this.#collect(input, axis + input.shape.length - value.shape.length, found));
  }

  #collectInput(input: Value, axis: number, found: Map<string, number>): boolean {
    const name = nameOf(input);
    const role = this.#roles.get(name);
    const isPossible = (role?.kind === 'weight' && input.shape.length === 1) || role?.kind === 'uniform';
    const known = found.get(name) ?? this.#axes.get(name) ?? axis;
    if (!isPossible || known !== axis) return false;
    found.set(name, axis);
    return true;
  }
}

export function nameOf(input: Value): string {
  return input.attrs.name as string;
}
