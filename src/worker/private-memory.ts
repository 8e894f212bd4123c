import { Arena, LayoutBuilder } from '../common/arena.js';
import { FIRST_FREE_BYTE, type Kernels, loadKernels, MAXIMUM_PAGES } from '../kernels/kernels.js';
import type { Slice } from './updater.js';

const FLOAT_BYTES = 4;
const PAGE_BYTES = 65_536;

/** What a training step reads and writes, in the order of the arena: the accumulator is the slot in front of the gradients. */
const SEGMENTS = ['weights', 'slots', 'accumulator', 'gradients', 'squares'];

/**
 * Weights, gradients and optimizer state of one worker alone, laid out as in the arena. Where no other worker has to see them
 * before the end of a pass, step programs read and write them in place, which no Node 20 can do in shared memory.
 */
export class PrivateMemory {
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly #shared: Arena;
  /** Values from one optimizer slot to the next. */
  readonly #stride: number;

  /** @param trainedEnd values of an optimizer slot. */
  constructor(shared: Arena, trainedEnd: number) {
    const layout = new LayoutBuilder(FIRST_FREE_BYTE);
    for (const name of SEGMENTS) layout.add(name, 'float32', shared.segment(name).length);
    const built = layout.build();
    const pages = Math.ceil(built.bytes / PAGE_BYTES);
    this.arena = new Arena(new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES }), built);
    this.kernels = loadKernels(this.arena.memory);
    this.#shared = shared;
    this.#stride = trainedEnd;
  }

  /** Takes over weights and optimizer state. Weights that stay fixed are taken over whole. */
  load(slices: readonly Slice[], fixedFrom: number): void {
    this.#copy(this.#shared, this.arena, slices);
    this.arena.floats('weights').set(this.#shared.floats('weights').subarray(fixedFrom), fixedFrom);
  }

  /** Gives others what has become of weights and optimizer state. */
  publish(slices: readonly Slice[]): void {
    this.#copy(this.arena, this.#shared, slices);
  }

  #copy(from: Arena, to: Arena, slices: readonly Slice[]): void {
    const [weights, slots] = [from.floats('weights'), from.floats('slots')];
    for (const { trained, replaced } of slices) {
      for (const { start, count } of [trained, replaced]) {
        const [first, end] = [start / FLOAT_BYTES, (start + count) / FLOAT_BYTES];
        to.floats('weights').set(weights.subarray(first, end), first);
      }
      const [first, end] = [trained.start / FLOAT_BYTES, (trained.start + trained.count) / FLOAT_BYTES];
      for (let at = 0; at < slots.length; at += this.#stride) {
        to.floats('slots').set(slots.subarray(at + first, at + end), at + first);
      }
    }
  }
}
