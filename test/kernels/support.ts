/** A memory with the kernels on it. */
import { type Kernels, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';

const PAGE = 65_536;

export interface Workbench {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  floats(address: number, length: number): Float32Array;
  addresses(address: number, length: number): Uint32Array;
}

/** @param bytes memory to reserve; only what is touched is taken. */
export function workbench(bytes: number): Workbench {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) + 1, maximum: MAXIMUM_PAGES, shared: true });
  return {
    kernels: loadKernels(memory),
    memory,
    floats: (address, length) => new Float32Array(memory.buffer, address, length),
    addresses: (address, length) => new Uint32Array(memory.buffer, address, length),
  };
}
