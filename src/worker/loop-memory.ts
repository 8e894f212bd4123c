/**
 * Memory for loops, used again where it can be: each program of a training has its own, each takes gigabytes of addresses, and nothing makes V8
 * collect those of past trainings, since it does not count what shared memories hold. Weakly held in between.
 */
import { LOOP_MEMORY_PAGES } from '../common/program.js';

export const PAGE_BYTES = 65_536;

/** Of this thread. */
let free: WeakRef<WebAssembly.Memory>[] = [];

/** A memory that can grow: the smallest that has `bytes` already, else the largest, else a new one. */
export function takeMemory(bytes: number): WebAssembly.Memory {
  const alive = free.map((reference) => reference.deref()).filter((memory) => memory !== undefined);
  alive.sort((a, b) => a.buffer.byteLength - b.buffer.byteLength);
  const taken = alive.find(({ buffer }) => buffer.byteLength >= bytes) ?? alive.at(-1);
  free = alive.filter((memory) => memory !== taken).map((memory) => new WeakRef(memory));
  return taken ?? new WebAssembly.Memory({ initial: 0, maximum: LOOP_MEMORY_PAGES, shared: true });
}

/** Offers memory to the next program. Nobody may use it any more. */
export function returnMemory(memory: WebAssembly.Memory): void {
  free.push(new WeakRef(memory));
}
