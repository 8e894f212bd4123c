/** Where carried values stand: those that are not needed at the same time share memory. */

import { FLOAT_BYTES } from '../../common/arena.js';
import type { NamedSpec } from '../../common/program.js';
import { sizeOf } from '../../common/shapes.js';

/** A carried value, the step that makes it and the last one that needs it, by their numbers. */
export interface Lifetime {
  spec: NamedSpec;
  first: number;
  last: number;
}

interface Placed {
  /** Bytes. */
  at: number;
  end: number;
  lifetime: Lifetime;
}

/** Cache line, and the alignment that ONNX Runtime asks of tensors. */
const ALIGNMENT = 64;

/** Puts each value into the first gap that is large enough for it, those that are made first before the others. */
export function planMemory(lifetimes: readonly Lifetime[]): { bytes: number; places: Record<string, number> } {
  const placed: Placed[] = [];
  let alive: Placed[] = [];
  for (const lifetime of [...lifetimes].sort((a, b) => a.first - b.first)) {
    const size = Math.ceil((sizeOf(lifetime.spec.shape) * FLOAT_BYTES) / ALIGNMENT) * ALIGNMENT;
    alive = alive.filter((other) => other.lifetime.last >= lifetime.first).sort((a, b) => a.at - b.at);
    let at = 0;
    for (const other of alive) {
      if (other.at - at >= size) break;
      at = Math.max(at, other.end);
    }
    const made = { at, end: at + size, lifetime };
    placed.push(made);
    alive.push(made);
  }
  const places = Object.fromEntries(placed.map(({ at, lifetime }) => [lifetime.spec.name, at]));
  return { bytes: placed.reduce((most, { end }) => Math.max(most, end), 0), places };
}
