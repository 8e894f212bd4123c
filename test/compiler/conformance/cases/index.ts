/** Every layer of tfjs with each option that changes what it computes. */
import type { LayerCase } from '../layer-case.js';
import { convolution } from './convolution.js';
import { core } from './core.js';
import { merge } from './merge.js';
import { normalization } from './normalization.js';
import { pooling } from './pooling.js';
import { preprocessing } from './preprocessing.js';
import { recurrent } from './recurrent.js';

export const cases: LayerCase[] = [
  ...core,
  ...convolution,
  ...pooling,
  ...recurrent,
  ...merge,
  ...normalization,
  ...preprocessing,
];
