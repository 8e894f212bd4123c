import koffi, { type LibraryHandle } from 'koffi';

/** Of the stack that native code is called on: twice what Node gives a worker. */
const STACK_BYTES = 8 << 20;

/**
 * Opens a native library for this thread, or the process itself for null. Keep a library: it is unloaded when nobody holds it any more, and its functions
 * do not.
 */
export function openLibrary(path: string | null): LibraryHandle {
  try {
    koffi.config({ ...koffi.config(), sync_stack_size: STACK_BYTES });
  } catch {
    // Native code has been called with koffi in this thread before: the stack is as it is.
  }
  return koffi.load(path);
}

/** The functions of the process, for this thread. */
let ownProcess: LibraryHandle | undefined;

/** The function at an address of native code. */
export function functionAt(address: unknown, result: string, args: readonly string[]): (...args: unknown[]) => unknown {
  // koffi 3.0.2 has no stack to call it on, and takes the process along, in a thread that has not opened any library.
  if (!ownProcess) ownProcess = openLibrary(null);
  return koffi.decode(address, koffi.proto(result, [...args]));
}

/** Where the values of an array stand, for as long as it is kept. */
export function addressOf(array: ArrayBufferView): bigint {
  const { buffer } = array; // asked for, since a small array may be moved with its object until it has one
  return buffer.byteLength === 0 ? 0n : koffi.address(array);
}
