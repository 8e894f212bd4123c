import * as tf from '@tensorflow/tfjs';

/** Where a layer is used: its inputs and outputs there. */
interface Use {
  inputShapes: (number | null)[][];
  outputShapes: (number | null)[][];
}

/** Multiplications that a row takes, roughly: each layer's weights, as many times as it has places to use them at. */
export function multiplicationsOf(model: tf.LayersModel): number {
  return model.layers.reduce((sum, layer) => sum + ofLayer(layer), 0);
}

function ofLayer(layer: tf.layers.Layer): number {
  // It picks rows of its weights.
  if (layer.getClassName() === 'Embedding') return 0;
  const uses = layer.inboundNodes as unknown as Use[];
  // A model notes one more use, where it was made.
  if (layer instanceof tf.LayersModel) return (uses.length - 1) * multiplicationsOf(layer);
  const places = uses.reduce((sum, use) => sum + placesOf(use), 0);
  return places * layer.countParams();
}

/** Pixels, or steps of a sequence, which may have no output of their own. */
function placesOf({ inputShapes: [input = []], outputShapes: [output = []] }: Use): number {
  const shape = input.length === 3 ? input : output;
  return shape.slice(1, -1).reduce((product: number, size) => product * (size ?? 1), 1);
}
