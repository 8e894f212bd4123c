/** How each operator of the mini-batch's program is done by a shard: one table entry an operator. */
import { ELEMENTWISE } from '../graph/operators.js';
import { NotPartitionable, type Pair } from './pairs.js';
import type { Placed } from './placement.js';
import { isSharded } from './placement.js';
import { elementwise } from './rules/elementwise.js';
import { layout } from './rules/layout.js';
import { linear } from './rules/linear.js';
import { reduction } from './rules/reduction.js';
import type { PartitionRule } from './rules/rule.js';
import type { ShardProgram } from './shard-program.js';

const TABLE: Readonly<Record<string, PartitionRule>> = {
  ...Object.fromEntries([...ELEMENTWISE].map((op) => [op, elementwise])),
  ...layout,
  ...linear,
  ...reduction,
};

/** Places the value of `pair`, whose inputs are placed. */
export function placePair(pair: Pair, program: ShardProgram): Placed {
  const inputs = pair.inputs.map((input) => program.placedOf(input));
  const rule = TABLE[pair.value.op];
  if (rule) return rule(pair, inputs, program);
  if (pair.rowAxis !== undefined || inputs.some(isSharded)) {
    throw new NotPartitionable(
      `uses ${pair.value.op}, of which it is not known how rows depend on each other`,
      pair.value,
    );
  }
  return program.replicated(
    program.emit(
      pair,
      inputs.map((input) => input.whole()),
    ),
  );
}
