/**
 * Dropout inside recurrent cells. A cell keeps its masks for all time steps of a sequence; here it draws them from the same
 * numbers as other random layers, one mask per sequence and mini-batch, as Keras does.
 */
import * as tf from '@tensorflow/tfjs';
import type { OpenLayer } from './engine.js';
import { swapMethod } from './layers.js';
import { type DrawUniform, dropoutMask } from './random.js';

interface Cell extends OpenLayer {
  dropoutMask: unknown;
  recurrentDropoutMask: unknown;
  dropoutFunc?: unknown;
}

interface Recurrent extends OpenLayer {
  cell: Cell & { cells?: Cell[] };
}

/** Lets recurrent cells draw their masks from `draw`; the masks that the user's cells hold come back afterwards. */
export function swapCellDropout(layers: readonly OpenLayer[], draw: DrawUniform): { restore(): void }[] {
  return layers.flatMap((layer) => {
    if (isCell(layer)) return swapMasks(layer, draw);
    return isRecurrent(layer) ? [swapMethod(layer, 'call', callWithoutMasks(layer))] : [];
  });
}

function isCell(layer: OpenLayer): layer is Cell {
  return 'dropoutMask' in layer && 'recurrentDropoutMask' in layer;
}

function isRecurrent(layer: OpenLayer): layer is Recurrent {
  return typeof layer.cell === 'object' && layer.cell !== null;
}

function swapMasks(cell: Cell, draw: DrawUniform): { restore(): void }[] {
  // Without masks tfjs makes new ones and disposes none of the user's.
  const swaps = [swapMethod(cell, 'dropoutMask', null), swapMethod(cell, 'recurrentDropoutMask', null)];
  if (cell.dropoutFunc) return swaps;
  const fromInput = (ones: tf.Tensor, rate: number): tf.Tensor => dropoutMask(ones.shape, rate, draw);
  return [...swaps, swapMethod(cell, 'dropoutFunc', fromInput)];
}

/** Every call of the layer is a sequence of its own. tfjs forgets the masks only in layers that it makes cells for. */
function callWithoutMasks(layer: Recurrent): OpenLayer['call'] {
  const { call } = layer;
  return (inputs, kwargs) => {
    for (const cell of layer.cell.cells ?? [layer.cell]) {
      // tfjs keeps masks beyond a `tf.tidy`.
      tf.dispose([cell.dropoutMask, cell.recurrentDropoutMask] as tf.TensorContainer);
      cell.dropoutMask = null;
      cell.recurrentDropoutMask = null;
    }
    return call.call(layer, inputs, kwargs);
  };
}
