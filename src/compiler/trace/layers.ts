/** Watches which layer is being called, so that errors can name it. */
import type { Graph } from '../graph/value.js';
import type { OpenLayer, OpenModel } from './engine.js';

/** Every layer of the model: those of nested models, and those inside wrappers and recurrent layers. */
export function allLayers(model: OpenModel): OpenLayer[] {
  const found = new Set<OpenLayer>();
  const visit = (layer: unknown): void => {
    const candidate = layer as OpenLayer | null | undefined;
    if (!candidate || typeof candidate.call !== 'function' || found.has(candidate)) return;
    found.add(candidate);
    for (const inner of [...(candidate.layers ?? []), ...((candidate.cells as unknown[]) ?? [])]) visit(inner);
    for (const part of ['layer', 'cell', 'forwardLayer', 'backwardLayer']) visit(candidate[part]);
  };
  model.layers.forEach(visit);
  return [...found];
}

/** A method of an object replaced for a while; `restore` undoes it exactly. */
export function swapMethod<T extends object>(
  object: T,
  name: keyof T & string,
  replacement: unknown,
): { restore(): void } {
  const own = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value: replacement, configurable: true, writable: true, enumerable: true });
  return {
    restore() {
      if (own) Object.defineProperty(object, name, own);
      else delete object[name];
    },
  };
}

/** Keeps `graph.currentLayer` at the innermost layer being applied. */
export function watchLayers(layers: readonly OpenLayer[], graph: Graph): { restore(): void }[] {
  return layers.map((layer) => {
    const apply = layer.apply;
    return swapMethod(layer, 'apply', (...args: unknown[]) => {
      const outer = graph.currentLayer;
      graph.currentLayer = layer.name;
      try {
        return checkOutput(layer, apply.apply(layer, args));
      } finally {
        graph.currentLayer = outer;
      }
    });
  });
}

/** @throws TypeError for a layer that gives nothing. */
function checkOutput(layer: OpenLayer, output: unknown): unknown {
  if (![output].flat().includes(undefined)) return output;
  throw new TypeError(
    `layer '${layer.name}' (${layer.getClassName()}) gave undefined: its call() must return a tensor, or a list of them`,
  );
}
