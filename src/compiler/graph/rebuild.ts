/** Rewriting a graph that is complete: passes that see all users of a value. */
import { topologicalOrder, type Value } from './value.js';

/** Makes the graph under `outputs` again with `rewrite` applied to each node after its inputs. New nodes are of the layers of those that they stand for. */
export function rebuild(
  outputs: readonly Value[],
  replacements: ReadonlyMap<Value, Value>,
  rewrite: (rebuilt: Value, original: Value) => Value,
): Value[] {
  const done = new Map(replacements);
  for (const value of topologicalOrder(outputs)) {
    if (done.has(value)) continue;
    const inputs = value.inputs.map((v) => done.get(v) as Value);
    const same = inputs.every((v, i) => v === value.inputs[i]);
    const { graph, op, attrs, shape, dtype } = value;
    const { currentLayer } = graph;
    graph.currentLayer = value.layer;
    const rebuilt = same ? value : graph.node(op, inputs, attrs, { shape, dtype });
    done.set(value, rewrite(rebuilt, value));
    graph.currentLayer = currentLayer;
  }
  return outputs.map((value) => done.get(value) as Value);
}

/** How often each value is an input of another or an output. */
export function countUses(outputs: readonly Value[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  for (const value of [...topologicalOrder(outputs).flatMap((v) => v.inputs), ...outputs]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  return uses;
}
