/** Where tfjs fails to train what it lets one build: the layers do what their options say for the time of a trace. */
import * as tf from '@tensorflow/tfjs';
import type { OpenLayer } from './engine.js';
import { swapMethod } from './layers.js';

interface Normalization extends OpenLayer {
  axis: number | number[];
  scale: boolean;
  center: boolean;
}

/** What a weight is where there is none. */
const MISSING = [
  { flag: 'scale', weight: 'gamma', value: 1 },
  { flag: 'center', weight: 'beta', value: 0 },
] as const;

/**
 * Gives normalizations without scale or center the constants that their missing weights stand for: tfjs reads those
 * weights all the same.
 */
export function repairNormalizations(layers: readonly OpenLayer[]): { restore(): void }[] {
  return layers.filter(lacksWeights).map((layer) => swapMethod(layer, 'call', callWithConstants(layer)));
}

function lacksWeights(layer: OpenLayer): layer is Normalization {
  const isNormalization = ['BatchNormalization', 'LayerNormalization'].includes(layer.getClassName());
  return isNormalization && MISSING.some(({ flag }) => layer[flag] === false);
}

function callWithConstants(layer: Normalization): OpenLayer['call'] {
  const { call } = layer;
  return (inputs, kwargs) => {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
    const shape = [layer.axis].flat().map((axis) => x.shape.at(axis) as number);
    const swaps = MISSING.filter(({ flag }) => !layer[flag]).flatMap(({ flag, weight, value }) => [
      swapMethod(layer, flag, true),
      swapMethod(layer, weight, { read: () => tf.fill(shape, value) }),
    ]);
    try {
      return call.call(layer, inputs, kwargs);
    } finally {
      for (const swap of swaps) swap.restore();
    }
  };
}

/**
 * Gives every call of a layer arguments of its own. tfjs passes one object to all layers; a recurrent layer that begins
 * with given states notes them there, and the next recurrent layer stumbles over them.
 */
export function separateArguments(layers: readonly OpenLayer[]): { restore(): void }[] {
  return layers.map((layer) => {
    const { apply } = layer;
    return swapMethod(layer, 'apply', (inputs: unknown, kwargs?: object) => apply.call(layer, inputs, { ...kwargs }));
  });
}
