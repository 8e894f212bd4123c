/**
 * ONNX Runtime by its C API (include/onnxruntime/core/session/onnxruntime_c_api.h of microsoft/onnxruntime), in the library that
 * onnxruntime-node brings along, called with koffi.
 *
 * onnxruntime-node's own binding makes tensors anew for every call, copies all outputs once more, refuses shared memory under Node 20,
 * and takes the process along if a thread is ended inside of it. The C API takes addresses: what a call reads and writes is told once.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { functionAt, openLibrary } from '../common/native-library.js';

/** Address of an object of the runtime. */
export type Handle = bigint;

/** Level of messages that are printed: fatal errors only. All others are thrown, and say more there. */
const FATAL = 4;
const ENABLE_ALL = 99;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

/** Of the first version: its table of functions "cannot change" (onnxruntime_c_api.cc). */
const API_VERSION = 1;
const POINTER_BYTES = 8;

/** By name: the place in the table, the result and the arguments. A result of `void *` is a status, null if all is well. */
const FUNCTIONS = {
  GetErrorMessage: [2, 'const char *', ['void *']],
  CreateEnv: [3, 'void *', ['int', 'const char *', 'void *']],
  CreateSessionFromArray: [8, 'void *', ['void *', 'void *', 'size_t', 'void *', 'void *']],
  Run: [9, 'void *', ['void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']],
  CreateSessionOptions: [10, 'void *', ['void *']],
  DisableMemPattern: [17, 'void *', ['void *']],
  DisableCpuMemArena: [19, 'void *', ['void *']],
  SetSessionLogSeverityLevel: [22, 'void *', ['void *', 'int']],
  SetSessionGraphOptimizationLevel: [23, 'void *', ['void *', 'int']],
  SetIntraOpNumThreads: [24, 'void *', ['void *', 'int']],
  SetInterOpNumThreads: [25, 'void *', ['void *', 'int']],
  CreateRunOptions: [39, 'void *', ['void *']],
  RunOptionsSetRunLogSeverityLevel: [41, 'void *', ['void *', 'int']],
  CreateTensorWithDataAsOrtValue: [49, 'void *', ['void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *']],
  CreateCpuMemoryInfo: [69, 'void *', ['int', 'int', 'void *']],
  ReleaseStatus: [93, 'void', ['void *']],
  ReleaseSession: [95, 'void', ['void *']],
  ReleaseValue: [96, 'void', ['void *']],
  ReleaseSessionOptions: [100, 'void', ['void *']],
} as const;

type Name = keyof typeof FUNCTIONS;
type Api = Record<Name, (...args: unknown[]) => unknown>;

/** What a run of a session reads and writes: addresses of arrays of names and of tensors, and how many. */
export interface RunArguments {
  inputNames: Handle;
  inputs: Handle;
  inputCount: number;
  outputNames: Handle;
  outputs: Handle;
  outputCount: number;
}

/** The runtime, opened by a thread. */
export class OnnxRuntime {
  /** Kept, or its functions are gone. */
  readonly #library: LibraryHandle;
  readonly #api: Api;
  readonly #run: Api['Run'];
  readonly #env: Handle;
  readonly #memory: Handle;
  readonly #runOptions: Handle;
  readonly #sessions = new Set<Handle>();

  constructor() {
    this.#library = openRuntime();
    this.#api = apiOf(this.#library);
    this.#run = this.#api.Run;
    this.#env = this.#make('CreateEnv', FATAL, 'shardfit');
    this.#memory = this.#make('CreateCpuMemoryInfo', ARENA_ALLOCATOR, DEFAULT_MEMORY);
    this.#runOptions = this.#make('CreateRunOptions');
    this.#do('RunOptionsSetRunLogSeverityLevel', this.#runOptions, FATAL);
    // A thread that ends early, as by process.exit(), would leave its programs in the memory of the process.
    process.once('exit', () => {
      for (const session of this.#sessions) this.releaseSession(session);
    });
  }

  /**
   * @param plansMemory whether the memory of a run is planned, taken in one piece and kept for the next, or taken from the system bit
   * by bit and given back.
   * @throws Error if the runtime refuses the program.
   */
  createSession(onnx: Uint8Array, plansMemory: boolean): Handle {
    const options = this.#make('CreateSessionOptions');
    try {
      this.#do('SetSessionLogSeverityLevel', options, FATAL);
      this.#do('SetSessionGraphOptimizationLevel', options, ENABLE_ALL);
      // Each worker is one thread: a pool inside it would compete with the other workers for their cores.
      this.#do('SetIntraOpNumThreads', options, 1);
      this.#do('SetInterOpNumThreads', options, 1);
      if (!plansMemory) {
        this.#do('DisableMemPattern', options);
        this.#do('DisableCpuMemArena', options);
      }
      const session = this.#make('CreateSessionFromArray', this.#env, onnx, onnx.byteLength, options);
      this.#sessions.add(session);
      return session;
    } finally {
      this.#api.ReleaseSessionOptions(options);
    }
  }

  /**
   * A tensor of the shape `dims` over memory that must stay where it is until the tensor is released.
   *
   * @param elementType of ONNXTensorElementDataType.
   */
  createTensor(address: Handle, bytes: number, dims: readonly number[], elementType: number): Handle {
    const shape = BigInt64Array.from(dims, BigInt);
    const name = 'CreateTensorWithDataAsOrtValue';
    return this.#make(name, this.#memory, address, bytes, shape, shape.length, elementType);
  }

  /** @throws Error with what the runtime says if it could not compute the outputs. */
  run(session: Handle, run: RunArguments): void {
    const { inputNames, inputs, inputCount, outputNames, outputs, outputCount } = run;
    const options = this.#runOptions;
    const status = this.#run(session, options, inputNames, inputs, inputCount, outputNames, outputCount, outputs);
    if (status !== null) this.#fail(status);
  }

  releaseSession(session: Handle): void {
    this.#sessions.delete(session);
    this.#api.ReleaseSession(session);
  }

  releaseTensor(tensor: Handle): void {
    this.#api.ReleaseValue(tensor);
  }

  #do(name: Name, ...args: unknown[]): void {
    const status = this.#api[name](...args);
    if (status !== null) this.#fail(status);
  }

  /** The object that a function leaves where its last argument points to. */
  #make(name: Name, ...args: unknown[]): Handle {
    const made = new BigUint64Array(1);
    this.#do(name, ...args, made);
    return made[0] as Handle;
  }

  #fail(status: unknown): never {
    const message = this.#api.GetErrorMessage(status) as string;
    this.#api.ReleaseStatus(status);
    throw new Error(message);
  }
}

/** @throws Error if there is none for this platform. */
function openRuntime(): LibraryHandle {
  const path = libraryPath();
  if (!existsSync(path)) {
    const { platform, arch } = process;
    throw new Error(
      `onnxruntime-node has no library for ${platform} on ${arch}: there is no ${path}; install it anew, or use another platform`,
    );
  }
  return openLibrary(path);
}

/** The table of functions of the API. */
function apiOf(library: LibraryHandle): Api {
  const base = library.func('OrtGetApiBase', 'void *', [])();
  const table = functionInTable(base, 0, 'void *', ['uint32_t'])(API_VERSION);
  const functions = Object.entries(FUNCTIONS).map(([name, [place, result, args]]) => {
    return [name, functionInTable(table, place, result, args)];
  });
  return Object.fromEntries(functions) as Api;
}

/** The function whose address stands at `place` of a table. */
function functionInTable(
  table: unknown,
  place: number,
  result: string,
  args: readonly string[],
): (...args: unknown[]) => unknown {
  return functionAt(koffi.decode(table, place * POINTER_BYTES, 'void *'), result, args);
}

/** The runtime's library, where onnxruntime-node has it for this platform. */
function libraryPath(): string {
  const { platform, arch } = process;
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const name = { darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' }[platform as string];
  return join(root, 'bin', 'napi-v6', platform, arch, name ?? 'libonnxruntime.so.1');
}

let opened: OnnxRuntime | undefined;

/** The runtime of this thread. */
export function onnxRuntime(): OnnxRuntime {
  opened ??= new OnnxRuntime();
  return opened;
}
