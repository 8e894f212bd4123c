/** Layers with several inputs. */
import * as tf from '@tensorflow/tfjs';
import { compiled, custom, type Extra, type Factory, type LayerCase } from '../layer-case.js';

/** Dense layers below every input, the merge, a dense layer above. */
function merged(factory: Factory, options: object, shapes: number[][]): tf.LayersModel {
  const inputs = shapes.map((shape) => tf.input({ shape }));
  const below = inputs.map(
    (input, i) =>
      tf.layers.dense({ units: (shapes[i] as number[]).at(-1) as number }).apply(input) as tf.SymbolicTensor,
  );
  const make = tf.layers[factory] as unknown as (options: object) => tf.layers.Layer;
  let y = make(options).apply(below) as tf.SymbolicTensor;
  if (y.shape.length > 2) y = tf.layers.flatten().apply(y) as tf.SymbolicTensor;
  return compiled(tf.model({ inputs, outputs: tf.layers.dense({ units: 2 }).apply(y) as tf.SymbolicTensor }));
}

type Merge = [options: object, shapes: number[][], extra?: Extra];

const cases = (factory: Factory, list: Merge[]): LayerCase[] =>
  list.map(([options, shapes, extra]) => {
    const name = `${JSON.stringify(options)} of ${shapes.map((shape) => `[${shape}]`).join(' ')}`;
    return custom(factory, name, () => merged(factory, options, shapes), extra);
  });

const UNREDUCED: Extra = { numerical: 'tfjs fails where an input is broadcast', distance: 0.005 };

const elementwise = (factory: Factory): LayerCase[] =>
  cases(factory, [
    [{}, [[4], [4]]],
    [
      {},
      [
        [3, 4],
        [3, 4],
        [3, 4],
      ],
    ],
    // The lower rank is padded with axes of size 1.
    [{}, [[3, 4], [4]], factory === 'maximum' || factory === 'minimum' ? UNREDUCED : {}],
  ]);

export const merge: LayerCase[] = [
  ...(['add', 'average', 'maximum', 'minimum', 'multiply'] as const).flatMap(elementwise),
  ...cases('concatenate', [
    [{}, [[4], [3]]],
    [
      { axis: 1 },
      [
        [2, 4],
        [3, 4],
      ],
    ],
    [
      { axis: -1 },
      [
        [2, 4],
        [2, 3],
        [2, 1],
      ],
    ],
  ]),
  ...cases('dot', [
    [{ axes: 1 }, [[4], [4]]],
    [{ axes: -1, normalize: true }, [[4], [4]]],
    [
      { axes: [2, 1] },
      [
        [3, 4],
        [4, 2],
      ],
    ],
    [
      { axes: 1 },
      [
        [3, 4],
        [3, 2],
      ],
    ],
    [{ axes: [1, 1] }, [[3, 4], [3]]],
  ]),
];
