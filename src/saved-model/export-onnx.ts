import * as tf from '@tensorflow/tfjs';
import type { DType, TensorSpec } from '../common/program.js';
import { encodePrediction, innerModel, NotTraceable } from '../compiler/index.js';

/**
 * The forward pass of a model, `model.predict`, as the bytes of an ONNX model (opset 21): weights in it, inputs and outputs by
 * the names that the model gives them, a name that is there twice with its number behind it, and a first axis `batch` of any size.
 *
 * @param model need not be compiled. All axes of its inputs but the first must have a size.
 * @throws TypeError if it is no tfjs model; Error that names the layer if one computes with its number of rows, or with
 * operations that have no counterpart in ONNX.
 */
export function exportOnnx(model: tf.LayersModel): Uint8Array {
  if (!(model instanceof tf.LayersModel)) {
    throw new TypeError('model must be a tf.LayersModel or tf.Sequential of the same copy of @tensorflow/tfjs');
  }
  const inner = innerModel(model);
  const features = inner.inputs.map(({ shape, dtype }, i): TensorSpec => {
    const own = shape.slice(1);
    if (own.some((size) => size === null)) {
      throw new TypeError(
        `input '${inner.inputNames[i]}' has the shape [${shape.map((size) => size ?? 'any').join(', ')}]: ` +
          'all sizes but the first must be known; give the input layer a full shape',
      );
    }
    return { shape: own as number[], dtype: dtype as DType };
  });
  try {
    return encodePrediction(inner, features, inner.inputNames, distinct(inner.outputNames));
  } catch (error) {
    if (!(error instanceof NotTraceable)) throw error;
    throw new Error(`the model cannot be exported: ${error.reason}; ${error.remedy}`, { cause: error });
  }
}

/** ONNX knows outputs by their names alone: `a`, `a_1`, ... where tfjs has two from one layer. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let i = 1; taken.has(own) || (own !== name && names.includes(own)); i++) own = `${name}_${i}`;
    taken.add(own);
    return own;
  });
}
