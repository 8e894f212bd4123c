/** Preprocessing layers. */
import * as tf from '@tensorflow/tfjs';
import { between, custom, type LayerCase, variants } from '../layer-case.js';

const tokens = (rows: number, length: number): tf.Tensor[] => [
  tf.tensor2d(Array.from({ length: rows }, (_, i) => Array.from({ length }, (_, j) => (i * 3 + j * 2) % 5))),
];

/** tfjs writes the shape of its output over that of its input: the layer must not be the first, nor its input the model's. */
const encoding = (outputMode: string | undefined, length: number): LayerCase => {
  const options = { numTokens: 5, ...(outputMode && { outputMode: outputMode as never }) };
  const layers = () => [tf.layers.reshape({ targetShape: [length] }), tf.layers.categoryEncoding(options)];
  return custom(
    'categoryEncoding',
    `outputMode ${outputMode ?? 'by default'}, ${length} tokens a row`,
    () => between([length], layers(), false),
    {
      features: (rows) => tokens(rows, length),
    },
  );
};

export const preprocessing: LayerCase[] = [
  ...variants('rescaling', [4], {}, [{ scale: 0.5 }, { scale: 2, offset: -1 }]),
  ...[
    [4, 4],
    [5, 6],
    [3, 5],
    [9, 8],
  ].map(([height, width]) =>
    custom('centerCrop', `height ${height}, width ${width}`, () =>
      between([7, 6, 2], [tf.layers.centerCrop({ height, width } as never)], false),
    ),
  ),
  encoding(undefined, 3),
  encoding('multiHot', 3),
  encoding('count', 3),
  encoding('oneHot', 1),
  custom('resizing', 'in any model', () => between([4, 6, 3], [tf.layers.resizing({ height: 2, width: 5 })], false), {
    refused: /x must be rank 3 or 4, but got rank 1/,
    because: "tfjs' own fit and predict fail: it hands a list of tensors to an operation that takes one",
  }),
  custom('randomWidth', 'factor 0.5', () => between([4, 6, 3], [tf.layers.randomWidth({ factor: 0.5 })], false), {
    refused: /positive integers/,
    because: 'every mini-batch gets another width, and tfjs declares a width of -1, which no other layer takes',
  }),
];
