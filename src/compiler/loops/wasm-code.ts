/**
 * WebAssembly in its binary format, as much of it as loops need ("WebAssembly Core Specification", version 2.0, section 5, and its vector
 * instructions).
 */
import { LOOP_MEMORY_PAGES } from '../../common/program.js';

/** Instructions by their bytes. */
export const OP = {
  loop: [0x03, 0x40],
  end: [0x0b],
  branchIf: [0x0d],
  get: [0x20],
  set: [0x21],
  tee: [0x22],
  i32Const: [0x41],
  i32Add: [0x6a],
  i32Sub: [0x6b],
} as const;

/** Vector instructions by their numbers behind the prefix. */
export const VECTOR = {
  load: 0x00,
  loadSplat: 0x09,
  store: 0x0b,
  const: 0x0c,
  equal: 0x41,
  notEqual: 0x42,
  less: 0x43,
  greater: 0x44,
  lessOrEqual: 0x45,
  greaterOrEqual: 0x46,
  not: 0x4d,
  and: 0x4e,
  or: 0x50,
  bitselect: 0x52,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  /** b < a ? b : a, and a < b ? b : a: one instruction of the processor each. */
  pseudoMin: 0xea,
  pseudoMax: 0xeb,
} as const;

/** Elements of a vector. */
export const LANES = 4;

const VECTOR_PREFIX = 0xfd;
const I32 = 0x7f;
const V128 = 0x7b;
const FUNCTION = 0x60;
const EXPORTED_FUNCTION = 0x00;
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
/** Limits of a memory: a maximum, and shared. */
const SHARED_LIMITS = 0x03;

/** A whole number without sign, in LEB128. */
export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  let rest = n;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte | 0x80 : byte);
  } while (rest > 0);
  return bytes;
}

/** A whole number of 32 bits with sign, in LEB128. */
export function signed(n: number): number[] {
  const bytes: number[] = [];
  let rest = n | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return bytes;
  }
}

export function vector(instruction: number): number[] {
  return [VECTOR_PREFIX, ...unsigned(instruction)];
}

/** A load or store of 16 bytes, or of the four that are read for a splat, at a pointer plus `offset`. */
export function memoryAccess(instruction: number, offset: number): number[] {
  return [...vector(instruction), ...unsigned(2), ...unsigned(offset)];
}

/** Four times the same number. */
export function vectorConst(x: number): number[] {
  return [...vector(VECTOR.const), ...new Uint8Array(Float32Array.of(x, x, x, x).buffer)];
}

/** A function of some i32, its parameters, with locals of two types behind them. */
export interface FunctionBody {
  parameters: number;
  /** Locals that are i32, without the parameters. */
  integers: number;
  /** Locals that are v128, behind those. */
  vectors: number;
  code: number[];
}

/** A module that imports the shared memory `env.memory` and exports functions under their numbers. */
export function encodeModule(functions: readonly FunctionBody[]): Uint8Array {
  const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text, 'latin1')];
  const list = (items: number[][]): number[] => [...unsigned(items.length), ...items.flat()];
  const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content];
  const memory = [0x02, SHARED_LIMITS, ...unsigned(0), ...unsigned(LOOP_MEMORY_PAGES)];
  const bodies = functions.map(({ integers, vectors, code }) => {
    const locals = list([
      [...unsigned(integers), I32],
      [...unsigned(vectors), V128],
    ]);
    const body = [...locals, ...code, ...OP.end];
    return [...unsigned(body.length), ...body];
  });
  const types = [...new Set(functions.map(({ parameters }) => parameters))];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(SECTION.type, list(types.map((count) => [FUNCTION, ...list(Array(count).fill([I32])), ...list([])]))),
    ...section(SECTION.import, list([[...name('env'), ...name('memory'), ...memory]])),
    ...section(SECTION.function, list(functions.map(({ parameters }) => unsigned(types.indexOf(parameters))))),
    ...section(SECTION.export, list(functions.map((_, i) => [...name(String(i)), EXPORTED_FUNCTION, ...unsigned(i)]))),
    ...section(SECTION.code, list(bodies)),
  ]);
}
