/**
 * Memory for arenas, used again where it can be.
 *
 * V8 does not count what a shared WebAssembly memory holds, so nothing makes it collect those of past fits: fifty fits in a
 * row on 200 MB of data would hold 10 GB. Memory of a fit that has ended is therefore taken by the next. Weakly held in
 * between, it goes with the next collection of garbage if nobody takes it.
 */
import { FIRST_FREE_BYTE, MAXIMUM_PAGES } from '../kernels/kernels.js';

const PAGE = 65_536;

/** A memory larger than this many times what is needed is left to a fit that needs it. */
const LARGEST_EXCESS = 4;

let free: WeakRef<WebAssembly.Memory>[] = [];

/** A shared memory of at least `bytes`, all zeros. */
export function takeMemory(bytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / PAGE);
  const memory = takeFree(initial * PAGE);
  if (!memory) return new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true });
  const missing = initial - memory.buffer.byteLength / PAGE;
  if (missing > 0) memory.grow(missing);
  new Uint8Array(memory.buffer, FIRST_FREE_BYTE, bytes - FIRST_FREE_BYTE).fill(0);
  return memory;
}

/** Offers memory to the next fit. No thread may use it any more. */
export function returnMemory(memory: WebAssembly.Memory): void {
  free.push(new WeakRef(memory));
}

/** The free memory that fits best: the smallest that is large enough, else the largest, which can grow. */
function takeFree(bytes: number): WebAssembly.Memory | undefined {
  const alive = free.map((reference) => reference.deref()).filter((memory) => memory !== undefined);
  const bySize = alive
    .filter(({ buffer }) => buffer.byteLength <= LARGEST_EXCESS * bytes)
    .sort((a, b) => a.buffer.byteLength - b.buffer.byteLength);
  const taken = bySize.find(({ buffer }) => buffer.byteLength >= bytes) ?? bySize.at(-1);
  free = alive.filter((memory) => memory !== taken).map((memory) => new WeakRef(memory));
  return taken;
}
