import * as tf from '@tensorflow/tfjs';
import { FLOAT_BYTES } from '../common/arena.js';
import { sizeOf } from '../common/shapes.js';
import { swapCellDropout } from '../compiler/trace/cell-dropout.js';
import type { OpenModel } from '../compiler/trace/engine.js';
import { allLayers } from '../compiler/trace/layers.js';
import { swapRandomLayers } from '../compiler/trace/random.js';
import { FIRST_FREE_BYTE, type Kernels, loadKernels, MAXIMUM_PAGES } from '../kernels/kernels.js';
import type { Shard } from './gradient-engine.js';

const PAGE = 65_536;
/** Lets the random layers of a model draw the numbers that the traced step would have: by seed, mini-batch, layer and row. */
export class SeededDraws {
  readonly #key: [number, number];
  #shard: Pick<Shard, 'rows' | 'firstRow' | 'batchNumber'> = { rows: 1, firstRow: 0, batchNumber: 0 };
  #streams = 0;
  #bench: { memory: WebAssembly.Memory; kernels: Kernels } | undefined;

  constructor(model: OpenModel, key: [number, number]) {
    this.#key = key;
    const layers = allLayers(model);
    const draw = (shape: number[], perRow: boolean) => this.#uniform(shape, perRow);
    // For good: the model is this thread's own.
    swapRandomLayers(layers, draw);
    swapCellDropout(layers, draw);
  }

  /** Says whose numbers are drawn next. */
  begin(shard: Shard): void {
    this.#shard = shard;
    this.#streams = 0;
  }

  /** Uniform numbers in [0, 1). Where rows were merged with another axis, each row still has numbers of its own. */
  #uniform(shape: number[], perRow: boolean): tf.Tensor {
    const { rows, firstRow, batchNumber } = this.#shard;
    const size = sizeOf(shape);
    const byRow = perRow && (shape[0] ?? 1) % rows === 0;
    const [from, count] = byRow ? [firstRow, rows] : [0, 1];
    const { memory, kernels } = this.#room(size);
    const [key0, key1] = this.#key;
    kernels.fillUniform(FIRST_FREE_BYTE, from, count, size / count, batchNumber, this.#streams++, key0, key1);
    return tf.tensor(new Float32Array(memory.buffer, FIRST_FREE_BYTE, size).slice(), shape);
  }

  /** Memory of this thread alone, since nobody knows beforehand how many numbers a model draws. */
  #room(size: number): { memory: WebAssembly.Memory; kernels: Kernels } {
    if (!this.#bench) {
      const memory = new WebAssembly.Memory({ initial: 2, maximum: MAXIMUM_PAGES, shared: true });
      this.#bench = { memory, kernels: loadKernels(memory) };
    }
    const { memory } = this.#bench;
    const missing = FIRST_FREE_BYTE + size * FLOAT_BYTES - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return this.#bench;
  }
}
