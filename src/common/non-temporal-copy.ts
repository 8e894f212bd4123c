/**
 * A copy by non-temporal stores, which put whole cache lines together and write them past the caches. Neither JavaScript nor WebAssembly
 * has them.
 *
 * A core that stores into a cache line that another has read must first tell that core so, and waits. `npm run bench:transport` shows what
 * it costs a step of training.
 */
import type { Arena } from './arena.js';
import { addressOf, functionAt, openLibrary } from './native-library.js';

/** Copies `bytes` bytes between byte addresses in the arena, all multiples of 64. Other threads see them behind the next barrier. */
export type NonTemporalCopy = (target: number, source: number, bytes: number) => void;

/** The instructions of one platform: a function of addresses in the process, as its C code calls functions. */
type Instructions = readonly number[];

/**
 * void copy(rdi: target, rsi: source, rdx: bytes), as the System V ABI hands them over. Every x86-64 processor has them.
 * Intel, "64 and IA-32 Architectures Software Developer's Manual", volume 2: MOVNTPS, SFENCE.
 */
const LINUX_X64: Instructions = [
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
  [0x0f, 0xae, 0xf8], //        done: sfence                    all of it before anything that is stored later
  [0xc3], //                          ret
].flat();

/** Those of this platform, if there are any. */
export const NON_TEMPORAL_COPY: Instructions | undefined =
  process.platform === 'linux' && process.arch === 'x64' ? LINUX_X64 : undefined;

/** Of Linux: include/uapi/asm-generic/mman-common.h. */
const [READ, WRITE, EXECUTE] = [1, 2, 4];
const PRIVATE_ANONYMOUS = 0x22;
const NO_FILE = -1;
const FAILED = -1;

/** Address of the page that holds them, null if the system allows none. Written once, for all threads that this one starts, and kept. */
let page: number | null | undefined;

/**
 * Writes the instructions to a page of memory, which can be written first and run then, never both.
 *
 * @returns its address in the process; undefined where there are no instructions or the system lets no program write any.
 */
export function writeNonTemporalCopy(): number | undefined {
  if (page === undefined) page = (NON_TEMPORAL_COPY && write(NON_TEMPORAL_COPY)) ?? null;
  return page ?? undefined;
}

function write(instructions: Instructions): number | undefined {
  const libc = openLibrary(null);
  const map = libc.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t']);
  const protect = libc.func('mprotect', 'int', ['intptr_t', 'size_t', 'int']);
  const unmap = libc.func('munmap', 'int', ['intptr_t', 'size_t']);
  const copy = libc.func('memcpy', 'intptr_t', ['intptr_t', 'void *', 'size_t']);
  const { length } = instructions;
  const address: number = map(0, length, READ | WRITE, PRIVATE_ANONYMOUS, NO_FILE, 0);
  if (address === FAILED) return undefined;
  copy(address, Uint8Array.from(instructions), length);
  if (protect(address, length, READ | EXECUTE) === 0) return address;
  unmap(address, length);
  return undefined;
}

/** The copy within an arena by the instructions at `address`. */
export function nonTemporalCopy(address: number, { memory }: Arena): NonTemporalCopy {
  const run = functionAt(BigInt(address), 'void', ['uintptr_t', 'uintptr_t', 'size_t']);
  const base = Number(addressOf(new Uint8Array(memory.buffer)));
  return (target, source, bytes) => run(base + target, base + source, bytes);
}
