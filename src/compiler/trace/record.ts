/** Registers the kernel table with tfjs, as kernels that record. */
import * as tf from '@tensorflow/tfjs';
import type { Value } from '../graph/value.js';
import { kernels } from '../kernels/index.js';
import type { KernelAttrs, KernelInputs, KernelRule } from '../kernels/rule.js';
import { BACKEND_NAME } from './backend.js';
import { NotTraceable } from './not-traceable.js';
import type { TraceSession } from './session.js';

// tfjs keeps kernels in a global registry by backend name: registered once, they record into the session now running.
let current: TraceSession | undefined;
let installed = false;

/** Makes `session` the one that kernels record into, and holds it until another call. */
export function recordInto(session: TraceSession | undefined): void {
  current = session;
  if (installed || !session) return;
  for (const [kernelName, rule] of Object.entries(kernels))
    register(kernelName, (inputs, attrs) => record(kernelName, rule, inputs, attrs));
  // Every other kernel that tfjs knows answers with an error that says where it came from.
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (!(kernelName in kernels)) register(kernelName, (inputs) => unknownKernel(kernelName, inputs));
  }
  installed = true;
}

type KernelFunction = (inputs: tf.NamedTensorInfoMap, attrs: KernelAttrs) => tf.TensorInfo | tf.TensorInfo[];

function register(kernelName: string, f: KernelFunction): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, attrs }) => f(inputs, (attrs ?? {}) as KernelAttrs),
  });
}

function record(
  kernelName: string,
  rule: KernelRule,
  inputs: tf.NamedTensorInfoMap,
  attrs: KernelAttrs,
): tf.TensorInfo | tf.TensorInfo[] {
  const session = current as TraceSession;
  const values = valuesOf(session, inputs);
  try {
    const result = rule(values, attrs, session.graph);
    return Array.isArray(result) ? result.map((v) => session.backend.register(v)) : session.backend.register(result);
  } catch (error) {
    if (error instanceof Error && !error.message.startsWith('tfjs kernel ')) {
      error.message = `tfjs kernel '${kernelName}'${whereabouts(session, Object.values(values))}: ${error.message}`;
    }
    throw error;
  }
}

function valuesOf(session: TraceSession, inputs: tf.NamedTensorInfoMap): KernelInputs {
  const values: Record<string, Value> = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor) values[name] = session.valueOf(tensor);
  return values;
}

function unknownKernel(kernelName: string, inputs: tf.NamedTensorInfoMap): never {
  const session = current as TraceSession;
  const where = whereabouts(session, Object.values(valuesOf(session, inputs)));
  throw new NotTraceable(`tfjs kernel '${kernelName}'${where} has no lowering to ONNX`, 'replace the operation');
}

/** The layer, loss or metric being computed or, where none is known, the layer that made one of the inputs. */
function whereabouts({ graph, backend }: TraceSession, inputs: readonly Value[]): string {
  const isKnown = graph.currentLayer !== undefined || backend.currentFunction !== undefined;
  const layer = isKnown ? undefined : inputs.find((v) => v.layer)?.layer;
  return ` in ${layer ? `layer '${layer}'` : backend.place}`;
}
