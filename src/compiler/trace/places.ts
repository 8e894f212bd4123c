/** Says in errors where in the model an operation stands: in a layer, in a loss or in a metric, in gradients too. */
import type { TraceBackend } from './backend.js';
import { engine, type OpenModel } from './engine.js';
import { swapMethod } from './layers.js';

type ModelFunction = (target: unknown, output: unknown) => unknown;

/** Keeps `backend.currentFunction` at the loss or metric being computed. */
export function watchFunctions(model: OpenModel, outputNames: string[], backend: TraceBackend): { restore(): void }[] {
  const { lossFunctions, metricsTensors, metricsNames } = model;
  if (!lossFunctions || !metricsTensors) return [];
  const named = (f: ModelFunction, name: string) => (target: unknown, output: unknown) =>
    within(backend, { function: name }, () => f(target, output));
  const losses = (lossFunctions as ModelFunction[]).map((loss, i) =>
    named(loss, outputNames.length > 1 ? `the loss of output '${outputNames[i]}'` : 'the loss'),
  );
  // Names of losses come first.
  const names = metricsNames.slice(metricsNames.length - metricsTensors.length);
  const metrics = metricsTensors.map(([metric, output], i) => [named(metric, `metric '${names[i]}'`), output]);
  return [swapMethod(model, 'lossFunctions', losses), swapMethod(model, 'metricsTensors', metrics)];
}

/** Has every gradient computed as if in the layer or function whose operation it is of. */
export function watchGradients(backend: TraceBackend): { restore(): void } {
  const open = engine();
  const { addTapeNode } = open;
  return swapMethod(open, 'addTapeNode', (...args: unknown[]) => {
    addTapeNode.apply(open, args);
    const node = open.state.activeTape?.at(-1);
    if (!node?.gradient) return;
    const { gradient } = node;
    const place = { layer: backend.graph.currentLayer, function: backend.currentFunction };
    node.gradient = (dys) => {
      const parts = Object.entries(within(backend, place, () => gradient(dys)));
      return Object.fromEntries(parts.map(([name, part]) => [name, () => within(backend, place, part)]));
    };
  });
}

function within<T>(
  backend: TraceBackend,
  place: { layer?: string | undefined; function?: string | undefined },
  f: () => T,
): T {
  const { graph, currentFunction } = backend;
  const { currentLayer } = graph;
  graph.currentLayer = place.layer;
  backend.currentFunction = place.function;
  try {
    return f();
  } finally {
    graph.currentLayer = currentLayer;
    backend.currentFunction = currentFunction;
  }
}
