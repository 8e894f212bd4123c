import type { Optimizer } from './optimizers/index.js';
import { LINE, type ParameterLayout } from './parameters.js';

const FLOAT_BYTES = 4;
/** Values whose squares are added up in one go. Fixed, so that the norm does not depend on the number of workers. */
const BLOCK = 4096;

/** Whether gradients are clipped by their norm: all of one must then be known before any of it is applied. */
export function clipsByNorm({ clipNorm, globalClipNorm }: Optimizer): boolean {
  return clipNorm !== undefined || globalClipNorm !== undefined;
}

export interface NormBlock {
  /** Index among the trained parameters. */
  parameter: number;
  /** Bytes of a slot. */
  from: number;
  to: number;
}

/** The trained weights in blocks, none of which holds values of two weights. */
export function normBlocks({ parameters }: ParameterLayout): NormBlock[] {
  return parameters
    .filter(({ role }) => role === 'trained')
    .flatMap(({ offset, size }, parameter) => {
      const end = offset + Math.ceil(size / LINE) * LINE;
      const blocks: NormBlock[] = [];
      for (let from = offset; from < end; from += BLOCK) {
        blocks.push({ parameter, from: from * FLOAT_BYTES, to: Math.min(from + BLOCK, end) * FLOAT_BYTES });
      }
      return blocks;
    });
}
