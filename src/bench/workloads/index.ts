import { cnn, mobilenet, residualCnn, vgg } from './convolution.js';
import { mlp, question } from './dense.js';
import type { WorkloadName } from './names.js';
import { embedding, lstm } from './sequences.js';
import type { WorkloadFactory } from './workload.js';

/** The built-in workloads. */
export const FACTORIES: Record<WorkloadName, WorkloadFactory> = {
  '10-20-1': question,
  '784-128-10': mlp([784, 128, 10]),
  '784-512-512-10': mlp([784, 512, 512, 10]),
  cnn,
  vgg,
  lstm,
  'residual-cnn': residualCnn,
  mobilenet,
  embedding,
};

export { NORMALIZED, WORKLOADS, type WorkloadName } from './names.js';
export type { Workload, WorkloadFactory } from './workload.js';
