import { basename } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { randomClasses, type WorkloadFactory, workload } from '../bench/workloads/workload.js';
import { readTopology } from './topology.js';
import { UsageError } from './usage-error.js';

/** Shape of a row. */
type Shape = number[];

/**
 * A model file as a workload, with random rows. A softmax at its end is trained by categoricalCrossentropy on random classes, any
 * other output by meanSquaredError on random numbers.
 *
 * @throws UsageError if the file is no topology, or is not one input and one output of fixed shapes.
 */
export async function modelWorkload(file: string): Promise<WorkloadFactory> {
  const model = await readTopology(file, 0);
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new UsageError(
      `--model ${file} has ${model.inputs.length} inputs and ${model.outputs.length} outputs; bench takes models with one of each`,
    );
  }
  const input = rowShape(model.inputs[0] as tf.SymbolicTensor, file);
  const output = rowShape(model.outputs[0] as tf.SymbolicTensor, file);
  const words = wordsOf(model);
  const classifies = output.length === 1 && activationOf(model) === 'softmax';
  const make = workload({
    name: basename(file),
    loss: classifies ? 'categoricalCrossentropy' : 'meanSquaredError',
    layers: () => copyOf(model),
    data: (rows) => ({
      x:
        words === undefined
          ? tf.randomUniform([rows, ...input], 0, 1, 'float32', 1)
          : tf.randomUniform([rows, ...input], 0, words, 'int32', 1),
      y: classifies ? randomClasses(rows, output[0] as number) : tf.randomNormal([rows, ...output], 0, 1, 'float32', 2),
    }),
  });
  return make;
}

function rowShape({ shape }: tf.SymbolicTensor, file: string): Shape {
  const row = shape.slice(1);
  if (row.every((size) => size !== null)) return row as Shape;
  throw new UsageError(
    `--model ${file} leaves sizes open: [${row.map((size) => size ?? 'any')}]; give its input layer a whole inputShape`,
  );
}

/** Numbers that stand for words, where the rows are such; undefined where they are measurements. */
function wordsOf(model: tf.LayersModel): number | undefined {
  const first = model.layers.find((layer) => layer.getClassName() !== 'InputLayer');
  return first?.getClassName() === 'Embedding' ? (first.getConfig().inputDim as number) : undefined;
}

function activationOf(model: tf.LayersModel): unknown {
  const last = model.layers.at(-1);
  return last?.getClassName() === 'Softmax' ? 'softmax' : last?.getConfig().activation;
}

function copyOf(model: tf.LayersModel): tf.LayersModel {
  const Class = model.constructor as tf.serialization.SerializableConstructor<tf.LayersModel>;
  const copy = Class.fromConfig(Class, model.getConfig() as tf.serialization.ConfigDict);
  copy.setWeights(model.getWeights());
  return copy;
}
