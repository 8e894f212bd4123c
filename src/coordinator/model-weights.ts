import * as tf from '@tensorflow/tfjs';
import type { Parameter, WeightRole } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';

/** Lists a model's weights with what the training program does to each of them. */
export function describeWeights(model: tf.LayersModel, program: StepProgram): Omit<Parameter, 'size' | 'offset'>[] {
  const roles = new Map<number, WeightRole>();
  for (const { role } of program.outputs) {
    if (role.kind === 'gradient') roles.set(role.index, 'trained');
    if (role.kind === 'state') roles.set(role.index, 'replaced');
  }
  return model.weights.map((weight, index) => ({
    index,
    name: weight.originalName,
    shape: weight.shape.map((size) => size ?? 1),
    role: roles.get(index) ?? 'fixed',
  }));
}

/** Copies the model's weights into `vector`. */
export function readWeights(model: tf.LayersModel, parameters: Parameter[], vector: Float32Array): void {
  for (const { index, offset } of parameters) {
    const weight = model.weights[index];
    if (weight) vector.set(weight.read().dataSync() as Float32Array, offset);
  }
}

/** Gives the model the weights in `vector`. The number of tensors stays as it was. */
export function writeWeights(model: tf.LayersModel, parameters: Parameter[], vector: Float32Array): void {
  for (const { index, offset, size, role } of parameters) {
    const weight = model.weights[index];
    if (role === 'fixed' || !weight) continue;
    // tfjs' cpu backend keeps the array it is given: it must be one of its own.
    const values = Float32Array.from(vector.subarray(offset, offset + size));
    // Not `weight.write`, which would project them on the layer's constraint: tfjs' own fit does not.
    tf.tidy(() => {
      (weight.read() as tf.Variable).assign(tf.tensor(values, weight.shape as number[], 'float32'));
    });
  }
}
