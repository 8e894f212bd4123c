import type { LoopStep, ProgramLoops } from '../common/program.js';
import { PAGE_BYTES, returnMemory, takeMemory } from './loop-memory.js';

/** Modules of the last programs in this thread: V8 has optimized their code. */
const modules: { wasm: Uint8Array; module: WebAssembly.Module }[] = [];
const MOST_MODULES = 8;

function moduleOf(wasm: Uint8Array): WebAssembly.Module {
  const known = modules.find((other) => Buffer.compare(other.wasm, wasm) === 0);
  if (known) return known.module;
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  if (modules.push({ wasm, module }) > MOST_MODULES) modules.shift();
  return module;
}

/** The loops of a program, and the memory in which shards have what they work on. */
export class LoopRunner implements Disposable {
  readonly #loops: ProgramLoops;
  /** Shared, so that it can grow under arrays that stand in it. No other thread sees it. */
  readonly #memory: WebAssembly.Memory;
  readonly #functions: ((...addresses: number[]) => void)[];
  #reserved = 0;
  #isDisposed = false;

  constructor(loops: ProgramLoops) {
    this.#loops = loops;
    this.#memory = takeMemory(loops.bytes);
    const { exports } = new WebAssembly.Instance(moduleOf(loops.wasm), { env: { memory: this.#memory } });
    this.#functions = Object.values(exports) as ((...addresses: number[]) => void)[];
  }

  /** Makes room for one shard: where it begins. */
  reserve(): number {
    const at = this.#reserved;
    this.#reserved += Math.ceil(this.#loops.bytes / PAGE_BYTES) * PAGE_BYTES;
    this.#memory.grow(Math.max(0, (this.#reserved - this.#memory.buffer.byteLength) / PAGE_BYTES));
    return at;
  }

  /** A carried value of the shard whose room begins at `at`; undefined if it stands elsewhere. */
  floats(name: string, length: number, at: number): Float32Array | undefined {
    const place = this.#loops.places[name];
    return place === undefined ? undefined : new Float32Array(this.#memory.buffer, at + place, length);
  }

  /** A loop over what stands in the room that begins at `at`. */
  bind({ loop, addresses }: LoopStep, at: number): () => void {
    const run = this.#functions[loop] as (...addresses: number[]) => void;
    const own = addresses.map((address) => at + address);
    return () => run(...own);
  }

  /** Once: another program may have the memory then. */
  [Symbol.dispose](): void {
    if (!this.#isDisposed) returnMemory(this.#memory);
    this.#isDisposed = true;
  }
}
