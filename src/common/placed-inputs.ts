/** Inputs of programs that stand in the arena, where kernels put rows together without a copy in between. */
import { type ArenaLayout, LayoutBuilder } from './arena.js';
import type { StepProgram } from './program.js';
import { sizeOf } from './shapes.js';

const ROWS = new Set(['feature', 'target', 'sampleWeight']);

/**
 * Where the rows that a program reads stand from the beginning of their room on, by the names of its inputs. None where the shards of a
 * mini-batch go through stages side by side, each with its rows: all shards of a worker have the same room.
 */
export function placeInputs({ inputs, stages, unitShards }: StepProgram): ArenaLayout {
  const layout = new LayoutBuilder(0);
  if (stages.length > 1 && unitShards === undefined) return layout.build();
  for (const { name, role, shape, dtype } of inputs) if (ROWS.has(role.kind)) layout.add(name, dtype, sizeOf(shape));
  return layout.build();
}
