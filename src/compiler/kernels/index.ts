/** The kernel table. To support another tfjs kernel, add its entry to the file of its subject. */
import { constant } from './constant.js';
import { convolution } from './convolution.js';
import { depthwise } from './depthwise.js';
import { elementwise } from './elementwise.js';
import { gathering } from './gather.js';
import { image } from './image.js';
import { matmul } from './matmul.js';
import { normalization } from './normalization.js';
import { pooling } from './pooling.js';
import { reduction } from './reduction.js';
import type { KernelTable } from './rule.js';
import { shape } from './shape.js';
import { volume } from './volume.js';

export const kernels: KernelTable = {
  ...constant,
  ...convolution,
  ...depthwise,
  ...elementwise,
  ...gathering,
  ...image,
  ...matmul,
  ...normalization,
  ...pooling,
  ...reduction,
  ...shape,
  ...volume,
};
