/** Operators on each element alone: a shard does its own rows, and sums of parts stay parts as long as that is linear. */
import type { Value } from '../../graph/value.js';
import type { Pair } from '../pairs.js';
import { isPartial, isPartOf, type Placed } from '../placement.js';
import type { ShardProgram } from '../shard-program.js';
import { onWhole, ownRows, type PartitionRule } from './rule.js';

export const elementwise: PartitionRule = (pair, inputs, program) => {
  if (pair.rowAxis === undefined) return withoutRows(pair, inputs, program);
  const rank = pair.value.shape.length;
  // Shapes broadcast from the right.
  return ownRows(pair, inputs, program, (axis, i) => axis + rank - (pair.inputs[i] as Pair).value.shape.length);
};

/** Keeps parts as parts where the operator is linear in them; anywhere else they must be exchanged. */
export function withoutRows(pair: Pair, inputs: readonly Placed[], program: ShardProgram): Placed {
  if (!inputs.some(isPartial)) return onWhole(pair, inputs, program);
  const parts = partOperands(pair, inputs, program);
  if (!parts) return onWhole(pair, inputs, program);
  const whole = (): Value =>
    program.emit(
      pair,
      inputs.map((input) => input.whole()),
    );
  return program.partial(program.emit(pair, parts), 'sum', whole);
}

/** Operands that make the node's result a part of a sum; undefined where it is none. */
function partOperands(pair: Pair, inputs: readonly Placed[], program: ShardProgram): Value[] | undefined {
  const isPart = (placed: Placed | undefined): boolean => placed !== undefined && isPartOf(placed, 'sum');
  const [a, b] = inputs as [Placed, Placed];
  switch (pair.value.op) {
    case 'Neg':
      return isPart(a) ? [a.value] : undefined;
    case 'Cast':
      return isPart(a) && pair.value.dtype === 'float32' ? [a.value] : undefined;
    case 'Add':
    case 'Sub':
    case 'Sum':
      return allParts(inputs, program);
    case 'Where': {
      const branches = allParts(inputs.slice(1), program);
      return branches && [a.whole(), ...branches];
    }
    case 'Mul':
      if (isPart(a) && !isPartial(b)) return [a.value, b.value];
      return isPart(b) && !isPartial(a) ? [a.value, b.value] : undefined;
    case 'Div':
      // A ratio of two sums is a sum of ratios to the total.
      return isPart(a) && pair.value.dtype === 'float32' ? [a.value, b.whole()] : undefined;
    default:
      return undefined;
  }
}

function allParts(inputs: readonly Placed[], program: ShardProgram): Value[] | undefined {
  const parts = inputs.map((input) => program.asPart(input, 'sum'));
  return parts.every((part) => part !== undefined) ? (parts as Value[]) : undefined;
}
