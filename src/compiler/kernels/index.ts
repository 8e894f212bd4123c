/** The kernel table. To support another tfjs kernel, add its entry to the file of its subject. */
import { constant } from './constant.js';
import { convolution } from './convolution.js';
import { elementwise } from './elementwise.js';
import { matmul } from './matmul.js';
import { normalization } from './normalization.js';
import { pooling } from './pooling.js';
import { reduction } from './reduction.js';
import type { KernelTable } from './rule.js';
import { shape } from './shape.js';

export const kernels: KernelTable = {
  ...constant,
  ...convolution,
  ...elementwise,
  ...matmul,
  ...normalization,
  ...pooling,
  ...reduction,
  ...shape,
};
