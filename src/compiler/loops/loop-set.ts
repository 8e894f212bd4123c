import { type Loop, loopFunction } from './loop-function.js';
import { encodeModule, type FunctionBody } from './wasm-code.js';

/** Functions of loops by number, alike ones once. */
export class LoopSet {
  readonly #functions = new Map<string, FunctionBody>();

  get size(): number {
    return this.#functions.size;
  }

  add(loop: Loop): number {
    const made = loopFunction(loop);
    const key = JSON.stringify(made);
    if (!this.#functions.has(key)) this.#functions.set(key, made);
    return [...this.#functions.keys()].indexOf(key);
  }

  encode(): Uint8Array {
    return encodeModule([...this.#functions.values()]);
  }
}
