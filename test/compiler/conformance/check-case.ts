/** What the conformance suite finds out about one case. */
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { checkFit } from './check-fit.js';
import { checkStep } from './check-step.js';
import type { LayerCase } from './layer-case.js';

export interface Finding {
  layerCase: LayerCase;
  /** Largest relative difference of loss, gradients and new states in one step; undefined if it is not traced. */
  step?: number;
  /** The same of all weights after five updates with two workers; undefined where that is left to another case. */
  fit?: number;
  /** What the compiler, or tfjs itself, says of what cannot be traced. */
  refusal?: string;
}

/** @param withFit whether to train too, which starts threads and so takes longer. */
export async function checkCase(layerCase: LayerCase, withFit: boolean): Promise<Finding> {
  if (layerCase.refused) return { layerCase, refusal: refusalOf(layerCase) };
  const step = await checkStep(layerCase);
  return { layerCase, step, ...(withFit && { fit: await checkFit(layerCase) }) };
}

/** The largest difference that may be: rounding, or the error of a derivative by differences near kinks. */
export function tolerance({ numerical, distance }: LayerCase): number {
  return numerical && distance ? 1e-3 : 1e-4;
}

function refusalOf(layerCase: LayerCase): string {
  try {
    const model = layerCase.build();
    const perRow = ({ shape }: { shape: (number | null)[] }) => ({
      shape: shape.slice(1).map((n) => n ?? 1),
      dtype: 'float32' as const,
    });
    compileTrainingStep(model, 3, model.inputs.map(perRow), model.outputs.map(perRow));
  } catch (error) {
    const { message } = error as Error;
    if (layerCase.refused?.test(message)) return message;
    throw error;
  }
  throw new Error(`${layerCase.factory} with ${layerCase.options} was traced, though it is said not to be`);
}

/** Whether each case is the one of its layer that is trained: the first that is traced. */
export function trainedCases(cases: readonly LayerCase[]): Set<LayerCase> {
  const first = new Map<string, LayerCase>();
  for (const layerCase of cases) {
    if (!layerCase.refused && !first.has(layerCase.factory)) first.set(layerCase.factory, layerCase);
  }
  return new Set(first.values());
}
