/** Replaces what the graph holds symbolically by ONNX operators, once it is known what is used. */
import { lowerConv2d } from './convolution.js';
import { materialize } from './interleave.js';
import { topologicalOrder, type Value } from './value.js';

/** Rebuilds the graph under `outputs` with every symbolic node written out and some values replaced by others. */
export function lowerGraph(outputs: readonly Value[], replacements: ReadonlyMap<Value, Value>): Value[] {
  const lowered = new Map(replacements);
  for (const value of topologicalOrder(outputs)) {
    if (lowered.has(value)) continue;
    const inputs = value.inputs.map((v) => lowered.get(v) as Value);
    const same = inputs.every((v, i) => v === value.inputs[i]);
    const { op, attrs, shape, dtype } = value;
    const rebuilt = same ? value : value.graph.node(op, inputs, attrs, { shape, dtype });
    lowered.set(value, writeOut(rebuilt));
  }
  return outputs.map((value) => lowered.get(value) as Value);
}

function writeOut(value: Value): Value {
  if (value.op === 'Conv') return lowerConv2d(value);
  if (value.op === 'Interleave') return materialize(value);
  return value;
}
