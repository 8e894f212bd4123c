/** A tfjs backend that computes nothing: its kernels note what would be computed. */
import { randomUUID } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import type { DType } from '../../common/program.js';
import type { Graph, Value } from '../graph/value.js';
import { constantOf } from '../kernels/constant.js';
import { NotTraceable } from './not-traceable.js';

/**
 * tfjs keeps kernels in a registry of its own, by this name: a second copy of shardfit in the process must not record into
 * the first one's traces.
 */
export const BACKEND_NAME = `shardfit-trace-${randomUUID()}`;

/** Tensors of this backend stand for values of a graph. */
export class TraceBackend extends tf.KernelBackend {
  /** Loss or metric now being computed, in words. */
  currentFunction: string | undefined;
  readonly #entries = new Map<object, { value: Value; refCount: number }>();

  constructor(readonly graph: Graph) {
    super();
  }

  /** Where in the model the trace is, in words. */
  get place(): string {
    const { currentLayer } = this.graph;
    return currentLayer ? `layer '${currentLayer}'` : (this.currentFunction ?? 'the loss, a metric or a regularizer');
  }

  /** A new data id that stands for `value`. */
  register(value: Value): tf.TensorInfo {
    const dataId = {};
    this.#entries.set(dataId, { value, refCount: 1 });
    return { dataId, shape: [...value.shape], dtype: value.dtype as DType };
  }

  /** What a data id stands for; undefined if it was made outside of the trace. */
  lookup(dataId: object): Value | undefined {
    return this.#entries.get(dataId)?.value;
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (dtype === 'string' || dtype === 'complex64') throw unsupportedType(dtype);
    const numbers = values as Float32Array;
    return this.register(constantOf(this.graph, numbers, shape, dtype)).dataId;
  }

  override readSync(): never {
    throw readError(this.place);
  }

  override read(): never {
    throw readError(this.place);
  }

  override incRef(dataId: object): void {
    const entry = this.#entries.get(dataId);
    if (entry) entry.refCount++;
  }

  override refCount(dataId: object): number {
    return this.#entries.get(dataId)?.refCount ?? 0;
  }

  /**
   * Nothing is forgotten: there is no memory to free, and a tensor disposed of too early is still what it stood for.
   * tfjs does that in evaluation, where a recurrent layer's output and state are one tensor.
   */
  override disposeData(dataId: object, force = false): boolean {
    const entry = this.#entries.get(dataId);
    if (!entry) return true;
    entry.refCount--;
    return force || entry.refCount <= 0;
  }

  override numDataIds(): number {
    return this.#entries.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override dispose(): void {
    this.#entries.clear();
  }
}

function readError(place: string): Error {
  return new NotTraceable(
    `${place} reads the value of a tensor (dataSync, array, data, ...) ` +
      'while the step is traced, where no values exist yet',
    'compute with tfjs operations only',
  );
}

export function unsupportedType(dtype: string): TypeError {
  return new TypeError(`tensors of type '${dtype}' cannot be part of a compiled step; use float32, int32 or bool`);
}
