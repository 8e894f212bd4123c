import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { seedInitializers } from './initial-weights.js';
import { UsageError } from './usage-error.js';

type ModelJson = Parameters<typeof tf.models.modelFromJSON>[0];

/**
 * The model that a file of `--model` describes, not compiled. Its weights depend on the seed alone.
 *
 * @throws UsageError if the file is missing or is no tfjs topology.
 */
export async function readTopology(file: string, seed: number): Promise<tf.LayersModel> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      error.code === 'ENOENT'
        ? `--model ${file} does not exist; check the path`
        : `--model ${file} cannot be read: ${error.message}`,
    );
  });
  try {
    const json = JSON.parse(text);
    // model.json of model.save(), or what model.toJSON() returns; tfjs itself opens `model_config` inside of either.
    const found = json?.modelTopology ?? json;
    if (!(found?.model_config ?? found)?.class_name) throw new Error("it has no 'class_name' of a model");
    const draft = await tf.models.modelFromJSON(found);
    // The draft spells out the initializers that the file leaves to tfjs' defaults: those need seeds as well.
    const topology = seedInitializers(draft.toJSON(null, false), seed) as ModelJson;
    draft.dispose();
    return await tf.models.modelFromJSON(topology);
  } catch (error) {
    throw new UsageError(
      `--model ${file} is not a topology that tfjs can build: ${firstWords(error as Error)}; write it with model.toJSON() or model.save() of tfjs`,
    );
  }
}

/** tfjs puts whole configurations into its messages. */
function firstWords({ message }: Error): string {
  const [line = ''] = message.split(/\n| in \{/);
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
