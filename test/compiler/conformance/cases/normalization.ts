/** Normalizations and layers with random numbers. */
import * as tf from '@tensorflow/tfjs';
import { between, custom, type LayerCase, variants } from '../layer-case.js';

/** Another axis by way of the last one. */
function alongAxis(shape: number[], axis: number, options: object): LayerCase {
  const toLast = [...shape.keys()].map((i) => i + 1).filter((i) => i !== axis);
  const dims = [...toLast, axis];
  const back = shape.map((_, i) => dims.indexOf(i + 1) + 1);
  const norm = (at: number) => tf.layers.batchNormalization({ ...options, axis: at });
  const build = () => between(shape, [norm(axis)]);
  const equivalent = () => between(shape, [tf.layers.permute({ dims }), norm(-1), tf.layers.permute({ dims: back })]);
  const why = "tfjs' cpu backend normalizes along the last axis only";
  return custom('batchNormalization', `axis ${axis} of ${shape.length + 1}, ${JSON.stringify(options)}`, build, {
    equivalent: { why, build: equivalent },
  });
}

export const normalization: LayerCase[] = [
  ...variants('batchNormalization', [4], {}, [
    {},
    { momentum: 0.5, epsilon: 0.1 },
    { center: false },
    { scale: false },
    { center: false, scale: false },
  ]),
  ...variants('batchNormalization', [4, 3], {}, [{}]),
  alongAxis([4, 3], 1, {}),
  alongAxis([4, 3, 2], 1, {}),
  alongAxis([4, 3, 2], 2, { center: false }),
  ...variants('batchNormalization', [4, 3, 2], {}, [{}, { gammaRegularizer: tf.regularizers.l2({ l2: 0.1 }) }]),
  ...variants('layerNormalization', [5], {}, [{}, { epsilon: 0.1 }, { center: false }, { scale: false }]),
  ...variants('layerNormalization', [4, 3], {}, [{}, { axis: 1 }, { axis: [1, 2] }]),
  ...variants('dropout', [6], {}, [
    { rate: 0.4 },
    { rate: 0.4, seed: 3 },
    { rate: 0 },
    { rate: 0.4, noiseShape: [1, 6] },
  ]),
  ...variants('dropout', [4, 6], {}, [{ rate: 0.4, noiseShape: [null, 1, 6] }]),
  ...variants('spatialDropout1d', [4, 6], {}, [{ rate: 0.4 }]),
  ...variants('gaussianNoise', [6], {}, [{ stddev: 0.3 }]),
  ...variants('gaussianDropout', [6], {}, [{ rate: 0.3 }]),
  ...variants('alphaDropout', [6], {}, [{ rate: 0.3 }]),
  custom('dropout', 'in two layers', () =>
    between([6], [tf.layers.dropout({ rate: 0.3 }), tf.layers.dense({ units: 6 }), tf.layers.dropout({ rate: 0.5 })]),
  ),
];
