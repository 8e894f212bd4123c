/** Poolings. */
import type { Extra, Factory, LayerCase } from '../layer-case.js';
import { variants } from '../layer-case.js';

const PADDED: Extra = { numerical: "tfjs' gradient divides by the whole window where padding is part of it" };
const averaged = (options: object): Extra => ('padding' in options && options.padding === 'same' ? PADDED : {});

const OBLONG: Extra = {
  numerical: "tfjs' gradient mistakes positions in windows that are not square",
  distance: 0.0005,
};
const oblong = (options: object): Extra => ('poolSize' in options && Array.isArray(options.poolSize) ? OBLONG : {});

function pooling1d(factory: Factory, extra: (options: object) => Extra): LayerCase[] {
  return variants(
    factory,
    [8, 3],
    {},
    [
      {},
      { poolSize: 3 },
      { poolSize: 2, strides: 3 },
      { poolSize: 3, strides: 1, padding: 'same' },
      { poolSize: 3, strides: 2, padding: 'same' },
    ],
    extra,
  );
}

function pooling2d(factory: Factory, extra: (options: object) => Extra): LayerCase[] {
  return variants(
    factory,
    [5, 6, 2],
    {},
    [
      {},
      { poolSize: [2, 3] },
      { poolSize: 2, strides: 1 },
      { poolSize: 3, strides: 2, padding: 'same' },
      { poolSize: 2, dataFormat: 'channelsFirst' },
    ],
    extra,
  );
}

function pooling3d(factory: Factory, extra: (options: object) => Extra): LayerCase[] {
  return variants(
    factory,
    [4, 5, 3, 2],
    {},
    [
      {},
      { poolSize: [2, 3, 1] },
      { poolSize: 2, strides: 1 },
      { poolSize: 3, strides: 2, padding: 'same' },
      { poolSize: [2, 2, 1], dataFormat: 'channelsFirst' },
    ],
    extra,
  );
}

const plain = (): Extra => ({});

export const pooling: LayerCase[] = [
  ...pooling1d('averagePooling1d', averaged),
  ...pooling1d('maxPooling1d', plain),
  ...pooling2d('averagePooling2d', averaged),
  ...pooling2d('maxPooling2d', plain),
  ...pooling3d('averagePooling3d', averaged),
  ...pooling3d('maxPooling3d', oblong),
  ...variants('globalAveragePooling1d', [5, 3], {}, [{}]),
  ...variants('globalMaxPooling1d', [5, 3], {}, [{}]),
  ...variants('globalAveragePooling2d', [4, 5, 3], {}, [{}, { dataFormat: 'channelsFirst' }]),
  ...variants('globalMaxPooling2d', [4, 5, 3], {}, [{}, { dataFormat: 'channelsFirst' }]),
];
