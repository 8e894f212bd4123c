/**
 * Cuts the program of a mini-batch along the units of its dense layers (tensor parallelism): each shard does all rows, and of
 * each layer its own units, whose weights only it reads, has gradients for and updates. What shards exchange are activations:
 * less than gradients where a mini-batch has fewer rows than layers have units. Found from the graph alone.
 */
import type { InputRole, OutputRole } from '../../../common/program.js';
import { topologicalOrder, type Value } from '../../graph/value.js';
import { placeValue } from './rules.js';
import { CutDecided, UnitCut } from './unit-cut.js';
import { UnitProgram } from './unit-program.js';

export interface UnitPartition {
  /** In a graph of their own: the shard's piece of gradients and new values of weights that are cut, else all; its summand of logs. */
  outputs: Value[];
  cut: UnitCut;
}

/**
 * @param outputs those of the step for all rows of a mini-batch.
 * @throws NotPartitionable if there is no way to cut the step that leaves its result as it is.
 */
export function partitionUnits(
  outputs: readonly { role: OutputRole; value: Value }[],
  roles: ReadonlyMap<string, InputRole>,
  shards: number,
): UnitPartition {
  const cut = new UnitCut(roles);
  const order = topologicalOrder(outputs.map(({ value }) => value));
  // Each round decides about one more input, or is the last.
  for (;;) {
    try {
      return { outputs: attempt(outputs, order, new UnitProgram(shards, cut)), cut };
    } catch (error) {
      if (!(error instanceof CutDecided)) throw error;
    }
  }
}

function attempt(
  outputs: readonly { role: OutputRole; value: Value }[],
  order: readonly Value[],
  program: UnitProgram,
): Value[] {
  for (const value of order) {
    program.graph.currentLayer = value.layer;
    program.place(placeValue(value, program));
  }
  const axes = program.cut.weights;
  return outputs.map(({ role, value }) => {
    const placed = program.placedOf(value);
    if (role.kind === 'logs')
      return placed.distribution.kind === 'partial' ? placed.value : program.share(program.wholeOf(placed));
    const axis = 'index' in role ? axes.get(role.index) : undefined;
    if (axis === undefined) return program.wholeOf(placed);
    const { distribution } = placed;
    if (distribution.kind === 'sharded' && distribution.axis === axis) return placed.value;
    return distribution.kind === 'partial' ? program.scatter(placed, axis) : program.own(program.wholeOf(placed), axis);
  });
}
