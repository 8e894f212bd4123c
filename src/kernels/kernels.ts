import { readFileSync } from 'node:fs';

/**
 * What every optimizer kernel is told first: byte addresses in the arena, and the slice to work on. `results` is told with the slice's offset still to be
 * added; `table` is that of the addresses of gradient slots.
 */
export type KernelPass = [
  weights: number,
  results: number,
  slots: number,
  slotStride: number,
  table: number,
  count: number,
  from: number,
  to: number,
];

/** Byte addresses in the arena; see `assembly/` for what each kernel computes. */
export interface Kernels {
  setPass(scale: number, clip: number, kept: number): void;
  reduceSquares(table: number, count: number, from: number, to: number): number;
  /** Makes the calls of a tape that stand between two byte addresses. */
  runTape(tape: number, end: number): void;
  reduceAssign(weights: number, table: number, count: number, from: number, to: number): void;
  reduceSgd(...args: [...KernelPass, step: number]): void;
  reduceSgdMomentum(...args: [...KernelPass, inner: number, outer: number, momentum: number, nesterov: boolean]): void;
  reduceAdagrad(...args: [...KernelPass, rate: number, epsilon: number]): void;
  reduceAdadelta(...args: [...KernelPass, rate: number, rho: number, epsilon: number, lagging: boolean]): void;
  reduceAdam(
    ...args: [
      ...KernelPass,
      rate: number,
      beta1: number,
      beta2: number,
      epsilon: number,
      correction1: number,
      correction2: number,
    ]
  ): void;
  reduceAdamax(...args: [...KernelPass, rate: number, beta1: number, beta2: number, epsilon: number]): void;
  reduceRmsprop(
    ...args: [...KernelPass, rate: number, rho: number, momentum: number, epsilon: number, centered: boolean]
  ): void;
  copyRuns(
    target: number,
    targetStride: number,
    source: number,
    sourceStride: number,
    bytes: number,
    runs: number,
  ): void;
  gatherRows(target: number, source: number, bytes: number, order: number, rows: number): void;
  averageReplicas(
    weights: number,
    replicas: number,
    stride: number,
    count: number,
    shares: number,
    from: number,
    to: number,
  ): void;
  averageReplicasOuter(
    weights: number,
    replicas: number,
    stride: number,
    count: number,
    shares: number,
    from: number,
    to: number,
    velocity: number,
    momentum: number,
    rate: number,
  ): void;
  fillUniform(
    target: number,
    firstRow: number,
    rows: number,
    perRow: number,
    step: number,
    stream: number,
    key0: number,
    key1: number,
  ): void;
  philoxBlock(target: number, c0: number, c1: number, c2: number, c3: number, key0: number, key1: number): void;
  shuffle(target: number, n: number, epoch: number, key0: number, key1: number): void;
}

/** First byte of the arena that the kernels leave to us; below it is the page AssemblyScript may use for itself. */
export const FIRST_FREE_BYTE = 65_536;

/** Of a memory that the kernels import: its maximum must be the one they were compiled with. */
export const MAXIMUM_PAGES = 65_536;

const compiled = new Map<string, WebAssembly.Module>();

function compile(file: string): WebAssembly.Module {
  const module = compiled.get(file) ?? new WebAssembly.Module(readFileSync(new URL(file, import.meta.url)));
  compiled.set(file, module);
  return module;
}

/** Instantiates the WebAssembly SIMD kernels over `memory`, which may be shared or one thread's own. */
export function loadKernels(memory: WebAssembly.Memory): Kernels {
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const module = compile(isShared ? 'kernels.wasm' : 'kernels-private.wasm');
  const abort = () => {
    throw new Error('a WebAssembly kernel aborted');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
}
