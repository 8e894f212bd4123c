/** Runs a function under the tracing backend and leaves the user's tfjs as it was. */
import * as tf from '@tensorflow/tfjs';
import type { DType } from '../../common/program.js';
import type { Graph, Value } from '../graph/value.js';
import { BACKEND_NAME, TraceBackend, unsupportedType } from './backend.js';
import { engine, type OpenVariable } from './engine.js';
import { swapGradients } from './gradients.js';
import { recordInto } from './record.js';

function isCompilable(dtype: tf.DataType): dtype is DType {
  return dtype !== 'string' && dtype !== 'complex64';
}

/** A variable of the user for the time of a trace. */
export interface ShadowedVariable {
  variable: OpenVariable;
  original: object;
  shadow: object;
  /** What the variable stood for when the trace began. */
  value: Value;
}

export class TraceSession {
  readonly #shadows: ShadowedVariable[] = [];
  /** Tensors that were made before the trace and used in it: constants of the program, read when the trace is over. */
  readonly captured = new Map<Value, tf.Tensor>();

  constructor(
    readonly graph: Graph,
    readonly backend: TraceBackend,
  ) {}

  /** A tensor for tfjs code that stands for `value`. */
  tensorOf(value: Value): tf.Tensor {
    return engine().makeTensorFromTensorInfo(this.backend.register(value));
  }

  /** What a tensor stands for. */
  valueOf(tensor: tf.TensorInfo): Value {
    return this.backend.lookup(tensor.dataId) ?? this.capture(tensor as tf.Tensor);
  }

  /**
   * A tensor or variable of the user as a constant of the program.
   *
   * @throws TypeError for one of text or complex numbers.
   */
  capture(tensor: tf.Tensor): Value {
    if (!isCompilable(tensor.dtype)) throw unsupportedType(tensor.dtype);
    const value = this.graph.input(`captured_${tensor.id}`, { shape: tensor.shape, dtype: tensor.dtype });
    this.captured.set(value, tensor);
    return value;
  }

  /**
   * Gives every variable a data id of the trace. What the step assigns to a variable (batch norm's averages) then
   * replaces only that, and the user's data is never touched. Variables that no step can use stay as they are.
   */
  shadowVariables(valueFor: (variable: OpenVariable) => Value): void {
    for (const variable of Object.values(engine().state.registeredVariables)) {
      if (!isCompilable(variable.dtype)) continue;
      const value = valueFor(variable);
      const shadow = this.backend.register(value).dataId;
      this.#shadows.push({ variable, original: variable.dataId, shadow, value });
      variable.dataId = shadow;
    }
  }

  /** Variables that the step assigned, with their new values. */
  assigned(): Map<OpenVariable, Value> {
    const changed = this.#shadows.filter(({ variable, shadow }) => variable.dataId !== shadow);
    return new Map(changed.map(({ variable }) => [variable, this.valueOf(variable as unknown as tf.TensorInfo)]));
  }

  restoreVariables(): void {
    for (const { variable, original, shadow } of this.#shadows) {
      // Assigning made tfjs count the variable once more; disposing of the new data takes that back.
      if (variable.dataId !== shadow) engine().disposeTensor(variable);
      variable.dataId = original;
    }
    this.#shadows.length = 0;
  }
}

/**
 * Runs `body` with the tracing backend active. tfjs switches backends synchronously when they need no waiting, so the
 * whole trace happens in one turn of the event loop and no other code sees it.
 */
export function withTracing<T>(graph: Graph, body: (session: TraceSession) => T): T {
  const userBackend = tf.getBackend();
  const session = new TraceSession(graph, new TraceBackend(graph));
  recordInto(session);
  tf.registerBackend(BACKEND_NAME, () => session.backend, 0);
  void tf.setBackend(BACKEND_NAME);
  const { numTensors, numDataBuffers, numBytes } = engine().state;
  const restoreGradients = swapGradients();
  engine().startScope('shardfit-trace');
  try {
    return body(session);
  } finally {
    session.restoreVariables();
    restoreGradients();
    engine().endScope();
    // What an interrupted gradient kept for its backward pass is not disposed by tfjs; it held no data anyway.
    Object.assign(engine().state, { numTensors, numDataBuffers, numBytes });
    void tf.setBackend(userBackend);
    tf.removeBackend(BACKEND_NAME);
    recordInto(undefined);
  }
}
