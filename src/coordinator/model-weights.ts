import * as tf from '@tensorflow/tfjs';
import type { Parameter, Weight, WeightRole } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import { sizeOf } from '../common/shapes.js';
import { swapMethod } from '../compiler/index.js';
import { putParameter, takeParameter } from './parameter-values.js';

/** Lists a model's weights with what the training program does to each of them. */
export function describeWeights(model: tf.LayersModel, program: StepProgram): Weight[] {
  const roles = new Map<number, WeightRole>();
  const transposed = new Set<number>();
  for (const { role } of program.outputs) {
    if (role.kind === 'gradient') roles.set(role.index, 'trained');
    if (role.kind === 'gradient' && role.transposed) transposed.add(role.index);
    if (role.kind === 'state') roles.set(role.index, 'replaced');
  }
  return model.weights.map((weight, index) => ({
    index,
    name: weight.originalName,
    shape: weight.shape.map((size) => size ?? 1),
    role: roles.get(index) ?? 'fixed',
    ...(transposed.has(index) && { transposed: true }),
  }));
}

/** A model's weights in the order that they had once: tfjs moves those of a layer that is frozen to the end. */
export type WeightList = Pick<tf.LayersModel, 'weights'>;

/** Copies weights into `vector`. */
export function readWeights({ weights }: WeightList, parameters: Parameter[], vector: Float32Array): void {
  for (const parameter of parameters) {
    const values = weights[parameter.index]?.read().dataSync() as Float32Array | undefined;
    const { offset, size } = parameter;
    if (values) takeParameter(values, parameter, vector.subarray(offset, offset + size));
  }
}

/** Gives weights the values in `vector`. The number of tensors stays as it was. */
export function writeWeights({ weights }: WeightList, parameters: Parameter[], vector: Float32Array): void {
  const assembled = new Map<number, Float32Array>();
  for (const parameter of parameters) {
    const { index, offset, size, shape, role } = parameter;
    if (role === 'fixed' || !weights[index]) continue;
    // tfjs' cpu backend keeps the array it is given: it must be one of its own.
    const values = assembled.get(index) ?? new Float32Array(sizeOf(shape));
    putParameter(vector.subarray(offset, offset + size), parameter, values);
    assembled.set(index, values);
  }
  for (const [index, values] of assembled) {
    const weight = weights[index] as tf.LayersModel['weights'][number];
    // Not `weight.write`, which would project them on the layer's constraint: tfjs' own fit does not.
    tf.tidy(() => {
      (weight.read() as tf.Variable).assign(tf.tensor(values, weight.shape as number[], 'float32'));
    });
  }
}

/** Has `compile` find the model's weights in the order, and as free to be trained, as they are now, whatever is frozen later. */
export function withPresentWeights<A extends unknown[], T>(
  model: tf.LayersModel,
  compile: (...args: A) => T,
): (...args: A) => T {
  const weights = model.weights as unknown as { trainable: boolean }[];
  const present = weights.map(({ trainable }) => trainable);
  const setTrainable = (values: boolean[]) => {
    weights.forEach((weight, i) => {
      weight.trainable = values[i] as boolean;
    });
  };
  return (...args) => {
    const later = weights.map(({ trainable }) => trainable);
    const swap = swapMethod(model, 'weights', weights);
    setTrainable(present);
    try {
      return compile(...args);
    } finally {
      setTrainable(later);
      swap.restore();
    }
  };
}
