import type * as tf from '@tensorflow/tfjs';
import { sgd } from '../common/optimizers/index.js';
import { type FitHistory, fit } from '../coordinator/fit.js';
import type { StudyPoint } from './grid.js';
import { fitOptionsOf, type StudyPlan } from './plan.js';
import type { CurvePoint, StudyRecord } from './record.js';

/** What a study trains. */
export interface StudyTask {
  /** For the report: `digits`. */
  name: string;
  /** For the report: what the model is and what it is trained for. */
  description: string;
  /** A compiled model, whose initial weights depend on the seed alone. The study disposes of it. */
  createModel: (seed: number) => tf.LayersModel | Promise<tf.LayersModel>;
  x: tf.Tensor;
  y: tf.Tensor;
}

/** Makes one training of a study. */
export async function runPoint(
  task: StudyTask,
  plan: StudyPlan,
  point: StudyPoint,
  signal: AbortSignal | undefined,
): Promise<StudyRecord> {
  const model = await task.createModel(point.seed);
  try {
    // biome-ignore lint/suspicious/noFocusedTests: it is no test that is focused here.
    const trained = await fit(model, task.x, task.y, {
      ...fitOptionsOf(plan, point),
      optimizer: sgd({ learningRate: point.learningRate, ...plan.optimizer }),
      ...(signal && { signal }),
    });
    return recordOf(point, trained);
  } finally {
    model.dispose();
  }
}

function recordOf(point: StudyPoint, { run, history }: FitHistory): StudyRecord {
  const { rows, updates, seconds, miniBatches, simulatedTime, staleness } = run;
  const { loss, val_loss } = history as Record<string, number[]>;
  const curve = run.milestones.map(
    (milestone, epoch): CurvePoint => ({
      ...milestone,
      loss: finite(loss?.[epoch]),
      ...(val_loss && { validationLoss: finite(val_loss[epoch]) }),
    }),
  );
  const last = Object.entries(history as Record<string, number[]>).map(([name, values]) => [
    name,
    finite(values.at(-1)),
  ]);
  return {
    ...{ point, rows, updates, seconds, miniBatches },
    ...(simulatedTime !== undefined && { simulatedTime }),
    ...(staleness && { staleness }),
    curve,
    final: Object.fromEntries(last),
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
