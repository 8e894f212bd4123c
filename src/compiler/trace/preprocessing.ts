/** Preprocessing layers that look at values while they run, in operations only. */
import * as tf from '@tensorflow/tfjs';
import type { OpenLayer } from './engine.js';
import { swapMethod } from './layers.js';

interface CategoryEncoding extends OpenLayer {
  numTokens: number;
  outputMode: string;
}

/** Lets CategoryEncoding layers run without the check that they begin with. */
export function swapPreprocessing(layers: readonly OpenLayer[]): { restore(): void }[] {
  return layers
    .filter((layer) => layer.getClassName() === 'CategoryEncoding')
    .map((layer) => swapMethod(layer, 'call', encodeUnchecked(layer as CategoryEncoding)));
}

/** tfjs throws on a token out of range; a program cannot, so such a row becomes NaN, and with it the loss. */
function encodeUnchecked({ numTokens, outputMode, call }: CategoryEncoding): OpenLayer['call'] {
  return function (this: OpenLayer, inputs, kwargs) {
    const given = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
    const isColumn = given.shape.at(-1) === 1;
    const tokens = tf.cast(outputMode === 'oneHot' && !isColumn ? tf.expandDims(given, -1) : given, 'int32');
    // Weights and other modes go the way of tfjs, which says what is wrong with them.
    if (tokens.rank > 2 || kwargs.countWeights || !['multiHot', 'oneHot', 'count'].includes(outputMode)) {
      return call.call(this, inputs, kwargs);
    }
    const counts = tf.denseBincount(tokens as tf.Tensor2D, [], numTokens, outputMode !== 'count');
    const inRange = tf.logicalAnd(tf.greaterEqual(tokens, 0), tf.less(tokens, numTokens));
    return tf.where(tf.all(inRange, -1, true), counts, tf.fill(counts.shape, Number.NaN));
  };
}
