/**
 * Layers that draw random numbers. tfjs draws them in JavaScript, which would freeze one draw into the program: while a
 * training step is traced these layers take their numbers from inputs of the program instead.
 */
import * as tf from '@tensorflow/tfjs';
import type { OpenLayer } from './engine.js';
import { swapMethod } from './layers.js';
import { NotTraceable } from './not-traceable.js';

/** Makes an input of uniform numbers in [0, 1); `perRow` if its first axis counts rows. */
export type DrawUniform = (shape: number[], perRow: boolean) => tf.Tensor;

interface RandomLayer extends OpenLayer {
  rate: number;
  stddev: number;
  noiseShape?: (number | null)[];
  getNoiseShape(input: tf.Tensor): number[] | null;
}

type Call = (layer: RandomLayer, x: tf.Tensor, draw: DrawUniform) => tf.Tensor;

const CALLS: Record<string, Call> = {
  Dropout: dropout,
  SpatialDropout1D: dropout,
  GaussianNoise: (layer, x, draw) => tf.add(tf.mul(normal(x.shape, draw), layer.stddev), x),
  GaussianDropout: (layer, x, draw) => {
    const stddev = Math.sqrt(layer.rate / (1 - layer.rate));
    return isRate(layer.rate) ? tf.mul(x, tf.add(tf.mul(normal(x.shape, draw), stddev), 1)) : x;
  },
  AlphaDropout: alphaDropout,
};

function isRate(rate: number): boolean {
  return rate > 0 && rate < 1;
}

function dropout(layer: RandomLayer, x: tf.Tensor, draw: DrawUniform): tf.Tensor {
  if (!isRate(layer.rate)) return x;
  const shape = layer.getNoiseShape(x) ?? x.shape;
  return tf.mul(x, dropoutMask(shape, layer.rate, draw, layer.noiseShape?.[0] == null));
}

/** 1 / (1 - rate) where u >= rate, else 0: with tfjs' arithmetic, floor(u + keep) / keep. */
export function dropoutMask(shape: number[], rate: number, draw: DrawUniform, perRow = true): tf.Tensor {
  const keep = 1 - rate;
  return tf.div(tf.floor(tf.add(draw(shape, perRow), keep)), keep);
}

/**
 * Klambauer et al. 2017, "Self-Normalizing Neural Networks", as in Keras. tfjs gives dropped elements the value of the
 * saturation with the wrong sign, so that its layer does not keep the mean.
 */
function alphaDropout(layer: RandomLayer, x: tf.Tensor, draw: DrawUniform): tf.Tensor {
  const { rate } = layer;
  if (!isRate(rate)) return x;
  const saturation = -1.6732632423543772 * 1.0507009873554805;
  const scale = ((1 - rate) * (1 + rate * saturation ** 2)) ** -0.5;
  const u = draw((layer.noiseShape as number[] | undefined) ?? x.shape, layer.noiseShape?.[0] == null);
  const kept = tf.cast(tf.greaterEqual(u, rate), 'float32');
  const mixed = tf.add(tf.mul(x, kept), tf.mul(tf.sub(1, kept), saturation));
  return tf.add(tf.mul(mixed, scale), -scale * saturation * rate);
}

/** Standard normal numbers from uniform ones (Box and Muller 1958). */
function normal(shape: number[], draw: DrawUniform): tf.Tensor {
  const [u, v] = [draw(shape, true), draw(shape, true)];
  // u may be 0 but never 1: 1 - u has a logarithm.
  const radius = tf.sqrt(tf.mul(tf.log(tf.sub(1, u)), -2));
  return tf.mul(radius, tf.cos(tf.mul(v, 2 * Math.PI)));
}

/** Lets the random layers draw from `draw`. */
export function swapRandomLayers(layers: readonly OpenLayer[], draw: DrawUniform): { restore(): void }[] {
  return layers.flatMap((layer) => {
    const call = CALLS[layer.getClassName()];
    if (!call) return [];
    const replaced: OpenLayer['call'] = (inputs, kwargs) => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
      return kwargs.training ? call(layer as RandomLayer, x, draw) : x;
    };
    return [swapMethod(layer, 'call', replaced)];
  });
}

/** Any other draw while tracing would repeat the same numbers in every step: it is an error that names the layer. */
export function forbidRandom(currentLayer: () => string | undefined): { restore(): void } {
  return swapMethod(Math, 'random', () => {
    const layer = currentLayer();
    throw new NotTraceable(
      `${layer ? `layer '${layer}'` : 'the loss, a metric or a regularizer'} draws random numbers in JavaScript, ` +
        'which a compiled step would repeat in every batch',
      'use Dropout, SpatialDropout1D, GaussianNoise, GaussianDropout or AlphaDropout layers',
    );
  });
}
