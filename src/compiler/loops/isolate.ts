/**
 * Loops read and write carried values alone: what comes from outside is copied for them, and what is needed outside is copied back. A `Copy` is
 * an operator of our own, done by the worker.
 */
import { isAtHand, isExchange } from '../graph/at-hand.js';
import { expand, reshape } from '../graph/layout.js';
import { rebuild } from '../graph/rebuild.js';
import { topologicalOrder, type Value } from '../graph/value.js';
import { findMakers, type LoopChoice } from './find-loops.js';
import { operandsOf, sourceOf, viewed } from './loopable.js';

/**
 * Puts a copy wherever a loop would meet an input, a constant, a total or an output. What `findMakers` says of the graph that comes of it must be
 * no more than what it said of the one before.
 */
export function isolateLoops(outputs: readonly Value[], choice: LoopChoice): Value[] {
  const withTotals = rebuild(outputs, new Map(), (value) => (isExchange(value) ? copy(value) : value));
  const makers = findMakers(topologicalOrder(withTotals), choice);
  const loops = new Set<Value>();
  const copiedBack = (value: Value) => (loops.has(viewed(value)) ? copy(value) : value);
  const isolated = rebuild(withTotals, new Map(), (value, original) => {
    const { graph, op, attrs, shape, dtype, inputs } = value;
    if (isExchange(value)) return graph.node(op, inputs.map(copiedBack), attrs, { shape, dtype });
    if (makers.get(original) !== 'loop') return value;
    const own = new Set(operandsOf(value));
    const operands = inputs.map((x) => (own.has(x) && isAtHand(sourceOf(value, x)) ? copied(x) : x));
    const loop = graph.node(op, operands, attrs, { shape, dtype });
    loops.add(loop);
    return loop;
  });
  return isolated.map(copiedBack);
}

/** An operand that reads a copy of its source. */
function copied(operand: Value): Value {
  const [inner] = operand.inputs as [Value];
  if (operand.op === 'Expand') return expand(copied(inner), operand.shape);
  return operand.op === 'Reshape' ? reshape(copied(inner), operand.shape) : copy(operand);
}

/** Workers copy what they know by name; constants are of the program. */
function copy(x: Value): Value {
  const { graph, shape, dtype } = x;
  return graph.node(x.op === 'Constant' ? 'Identity' : 'Copy', [x], {}, { shape, dtype });
}
