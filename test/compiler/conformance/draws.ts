/** tfjs with the random numbers that shardfit draws, so that layers with random numbers can be compared. */
import * as tf from '@tensorflow/tfjs';
import { swapCellDropout } from '#shardfit/compiler/trace/cell-dropout.js';
import { openModel } from '#shardfit/compiler/trace/engine.js';
import { allLayers } from '#shardfit/compiler/trace/layers.js';
import { swapRandomLayers } from '#shardfit/compiler/trace/random.js';
import { repairNormalizations, separateArguments } from '#shardfit/compiler/trace/repairs.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';

export const SEED = 5;

const memory = new WebAssembly.Memory({ initial: 64, maximum: MAXIMUM_PAGES, shared: true });
const kernels = loadKernels(memory);

/** The numbers that a program's input gets for a whole mini-batch. */
export function drawUniform(shape: number[], perRow: boolean, stream: number, batch: number): Float32Array {
  const size = shape.reduce((n, d) => n * d, 1);
  const rows = perRow ? (shape[0] as number) : 1;
  kernels.fillUniform(FIRST_FREE_BYTE, 0, rows, size / rows, batch, stream, SEED, 0);
  return new Float32Array(memory.buffer, FIRST_FREE_BYTE, size).slice();
}

/** Streams are counted anew in every mini-batch. */
export class Draws {
  #stream = 0;
  #batch = 0;

  nextBatch(): void {
    this.#batch++;
    this.#stream = 0;
  }

  /** Lets the model's layers draw these numbers until `restore`. */
  install(model: tf.LayersModel, rows: number): { restore(): void } {
    const layers = allLayers(openModel(model));
    const draw = (shape: number[], perRow: boolean): tf.Tensor => {
      const whole = perRow && (shape[0] as number) % rows === 0;
      const split = whole ? [rows, shape.reduce((n, d) => n * d, 1) / rows] : shape;
      return tf.tensor(drawUniform(split, whole, this.#stream++, this.#batch), shape);
    };
    const swaps = [
      ...swapRandomLayers(layers, draw),
      ...swapCellDropout(layers, draw),
      ...repairNormalizations(layers),
      ...separateArguments(layers),
    ];
    return {
      restore() {
        for (const swap of swaps.reverse()) swap.restore();
      },
    };
  }
}
