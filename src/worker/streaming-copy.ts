/**
 * A copy by stores that go past the caches ("streaming", "non-temporal"), which neither JavaScript nor WebAssembly has.
 *
 * A core that stores into a cache line that another has read must first tell that core, and waits: 24 ns a line where the two have
 * caches of different groups, as on most processors with many cores. Streaming stores put whole lines together beside the caches.
 */
import type { Arena } from '../common/arena.js';
import { addressOf, functionAt, openLibrary } from '../common/native-library.js';
import type { Kernels } from '../kernels/kernels.js';

/** Copies `bytes` bytes, whole cache lines, between byte addresses in the arena that are multiples of 64. Others see them behind the next barrier. */
export type StreamingCopy = (target: number, source: number, bytes: number) => void;

/**
 * void copy(rdi: target, rsi: source, rdx: bytes), as the System V ABI hands them over. Of the first x86-64 on: SSE.
 * Intel, "Software Developer's Manual", volume 2: MOVNTPS, SFENCE.
 */
const X64 = [
  [0xf3, 0x0f, 0x1e, 0xfa], //        endbr64
  [0x48, 0xc1, 0xea, 0x06], //        shr     rdx, 6            lines
  [0x74, 0x2b], //                    jz      done
  [0x0f, 0x28, 0x06], //        line: movaps  xmm0, [rsi]
  [0x0f, 0x28, 0x4e, 0x10], //        movaps  xmm1, [rsi + 16]
  [0x0f, 0x28, 0x56, 0x20], //        movaps  xmm2, [rsi + 32]
  [0x0f, 0x28, 0x5e, 0x30], //        movaps  xmm3, [rsi + 48]
  [0x0f, 0x2b, 0x07], //              movntps [rdi], xmm0
  [0x0f, 0x2b, 0x4f, 0x10], //        movntps [rdi + 16], xmm1
  [0x0f, 0x2b, 0x57, 0x20], //        movntps [rdi + 32], xmm2
  [0x0f, 0x2b, 0x5f, 0x30], //        movntps [rdi + 48], xmm3
  [0x48, 0x83, 0xc6, 0x40], //        add     rsi, 64
  [0x48, 0x83, 0xc7, 0x40], //        add     rdi, 64
  [0x48, 0xff, 0xca], //              dec     rdx
  [0x75, 0xd5], //                    jnz     line
  [0x0f, 0xae, 0xf8], //        done: sfence                    before anything that is stored later
  [0xc3], //                          ret
].flat();

/** Of Linux, x86-64: include/uapi/asm-generic/mman-common.h. */
const [READ, WRITE, EXECUTE] = [1, 2, 4];
const PRIVATE_ANONYMOUS = 0x22;
const NO_FILE = -1;
const FAILED = -1;

/** Of this thread. */
let copy: StreamingCopy | null | undefined;

/** The copy between places of an arena. Where the system lets no program write instructions kernels do it: by way of the caches. */
export function streamingCopy({ memory }: Arena, kernels: Kernels): StreamingCopy {
  if (copy === undefined) copy = writeCopy() ?? null;
  if (copy === null) return (target, source, bytes) => kernels.copyRuns(target, 0, source, 0, bytes, 1);
  const run = copy;
  const base = Number(addressOf(new Uint8Array(memory.buffer)));
  return (target, source, bytes) => run(base + target, base + source, bytes);
}

/** Writes the instructions to a page of their own. It can be written first and run then, never both. */
function writeCopy(): StreamingCopy | undefined {
  const libc = openLibrary(null);
  const map = libc.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
  const protect = libc.func('mprotect', 'int', ['intptr_t', 'size_t', 'int']);
  const unmap = libc.func('munmap', 'int', ['intptr_t', 'size_t']);
  const write = libc.func('memcpy', 'intptr_t', ['intptr_t', 'void *', 'size_t']);
  const page: number = map(0, X64.length, READ | WRITE, PRIVATE_ANONYMOUS, NO_FILE, 0);
  if (page === FAILED) return undefined;
  process.once('exit', () => unmap(page, X64.length));
  write(page, Uint8Array.from(X64), X64.length);
  if (protect(page, X64.length, READ | EXECUTE) !== 0) return undefined;
  return functionAt(BigInt(page), 'void', ['uintptr_t', 'uintptr_t', 'size_t']) as StreamingCopy;
}
