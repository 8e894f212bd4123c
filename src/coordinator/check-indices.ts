import type * as tf from '@tensorflow/tfjs';
import type { Rows } from './data-in.js';

/** An embedding layer with the members that tfjs' declarations leave out. */
interface OpenLayer {
  name: string;
  inputDim?: number;
  getClassName(): string;
  inboundNodes: { inputTensors: tf.SymbolicTensor[] }[];
}

/**
 * Checks the inputs that go straight into an embedding layer: neither tfjs' backends nor ONNX Runtime say which row it is that
 * asks for a vector that is not there, and some take the last for -1. As in tfjs, fractions are cut off.
 *
 * @param labels what to call the inputs in errors.
 * @throws RangeError that names input, row, value and layer.
 */
export function checkIndices(model: tf.LayersModel, features: Rows[], labels: string[]): void {
  for (const layer of model.layers as unknown as OpenLayer[]) {
    const { inputDim } = layer;
    if (layer.getClassName() !== 'Embedding' || inputDim === undefined) continue;
    for (const { inputTensors } of layer.inboundNodes) {
      inputTensors.forEach((tensor) => {
        const i = model.inputs.indexOf(tensor);
        if (i >= 0) checkColumn(features[i] as Rows, inputDim, labels[i] as string, layer.name);
      });
    }
  }
}

function checkColumn({ data, shape }: Rows, inputDim: number, label: string, layer: string): void {
  const isInside = (value: number) => Math.trunc(value) >= 0 && value < inputDim;
  let at = 0;
  while (at < data.length && isInside(data[at] as number)) at++;
  if (at === data.length) return;
  const row = Math.floor(at / (data.length / (shape[0] as number)));
  throw new RangeError(
    `${label}[${row}] has the index ${data[at]}: embedding layer '${layer}' has vectors for 0 to ${inputDim - 1}; ` +
      'give it a larger inputDim, or correct the rows',
  );
}
