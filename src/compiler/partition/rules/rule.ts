import { NotPartitionable, type Pair } from '../pairs.js';
import { isSharded, type Placed } from '../placement.js';
import type { ShardProgram } from '../shard-program.js';

/** Places the value of one node, given how its inputs are placed. */
export type PartitionRule = (pair: Pair, inputs: readonly Placed[], program: ShardProgram) => Placed;

/**
 * The blocks that the row axis of the result has, where each sharded input contributes the axis `axisOf` says.
 *
 * @throws NotPartitionable if the inputs' rows do not lie side by side.
 */
export function commonOuter(
  pair: Pair,
  inputs: readonly Placed[],
  axisOf: (axis: number, input: number) => number | undefined,
): number | undefined {
  let common: number | undefined;
  inputs.forEach((input, i) => {
    if (!isSharded(input)) return;
    const { axis, outer } = input.distribution;
    const fits = axisOf(axis, i) === pair.rowAxis && (outer === undefined || common === undefined || outer === common);
    if (!fits) throw new NotPartitionable(`combines different rows with each other (${pair.value.op})`, pair.value);
    common ??= outer;
  });
  return common;
}

/** The node done on each shard's own rows, the row axis staying where `axisOf` says. */
export function ownRows(
  pair: Pair,
  inputs: readonly Placed[],
  program: ShardProgram,
  axisOf: (axis: number, input: number) => number | undefined,
): Placed {
  const outer = commonOuter(pair, inputs, axisOf);
  return program.sharded(
    program.emit(
      pair,
      inputs.map((input) => program.operand(input)),
    ),
    pair,
    outer,
  );
}

/** The node on what all shards have. */
export function onWhole(pair: Pair, inputs: readonly Placed[], program: ShardProgram): Placed {
  return program.replicated(
    program.emit(
      pair,
      inputs.map((input) => input.whole()),
    ),
  );
}
