import { Arena, FLOAT_BYTES, LayoutBuilder } from '../common/arena.js';
import { copyValues } from '../common/copy.js';
import type { ParameterLayout } from '../common/parameters.js';
import type { Range } from '../common/shards.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '../kernels/kernels.js';
import { type Slice, Updater } from './updater.js';

const PAGE_BYTES = 65_536;

/** What a training step reads and writes. */
const SEGMENTS = ['weights', 'slots', 'accumulator', 'gradients', 'squares'];

/** That of the last training in this thread: each memory takes gigabytes of addresses until it is collected as garbage. */
let idle: WeakRef<WebAssembly.Memory> | undefined;

function takeMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = idle?.deref();
  idle = undefined;
  if (!memory) return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES });
  memory.grow(Math.max(0, pages - memory.buffer.byteLength / PAGE_BYTES));
  return memory;
}

/**
 * Weights, gradients and optimizer state of one worker alone, laid out as in the arena. Where no other worker has to see them
 * before the end of a pass, step programs and kernels read and write them here.
 */
export class PrivateMemory implements Disposable {
  readonly arena: Arena;
  readonly updater: Updater;
  readonly #shared: Arena;
  readonly #parameters: ParameterLayout;

  constructor(shared: Arena, parameters: ParameterLayout) {
    const layout = new LayoutBuilder(FIRST_FREE_BYTE);
    for (const name of SEGMENTS) layout.add(name, 'float32', shared.segment(name).length);
    layout.add('gradientSlots', 'int32', shared.segment('gradientSlots0').length);
    const built = layout.build();
    this.arena = new Arena(takeMemory(built.bytes), built);
    this.updater = new Updater(this.arena, loadKernels(this.arena.memory), parameters, 'gradientSlots');
    this.#shared = shared;
    this.#parameters = parameters;
  }

  /** Takes over weights, optimizer state and gathered gradients, and all weights that stay fixed. */
  load(slices: readonly Slice[]): void {
    const fixedFrom = this.#parameters.replacedEnd;
    this.#copy(this.#shared, this.arena, slices);
    copyValues(this.#shared.floats('weights').subarray(fixedFrom), this.arena.floats('weights'), fixedFrom);
  }

  /** Gives others what has become of them. */
  publish(slices: readonly Slice[]): void {
    this.#copy(this.arena, this.#shared, slices);
  }

  [Symbol.dispose](): void {
    idle = new WeakRef(this.arena.memory);
  }

  #copy(from: Arena, to: Arena, slices: readonly Slice[]): void {
    const copy = (segment: string, { start, count }: Range, at = 0): void => {
      const [first, end] = [at + start / FLOAT_BYTES, at + (start + count) / FLOAT_BYTES];
      copyValues(from.floats(segment).subarray(first, end), to.floats(segment), first);
    };
    for (const { trained, replaced } of slices) {
      copy('weights', trained);
      copy('weights', replaced);
      for (let at = 0; at < from.segment('slots').length; at += this.#parameters.trainedEnd) copy('slots', trained, at);
      // There only if mini-batches are gathered for an update, which the next pass may make with other workers.
      if (from.segment('accumulator').length > 0) copy('accumulator', trained);
    }
  }
}
