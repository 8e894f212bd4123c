/** The parts of tfjs' engine and models that its types leave out. One place, so that an upgrade of tfjs shows here. */
import * as tf from '@tensorflow/tfjs';
import { innerModel } from '../inner-model.js';

/** A tfjs variable with its data id open to change. */
export type OpenVariable = Omit<tf.Variable, 'dataId'> & { dataId: object };

export interface TfEngine {
  backendName: string;
  state: {
    registeredVariables: Record<string, OpenVariable>;
    numTensors: number;
    numDataBuffers: number;
    numBytes: number;
    /** Operations whose gradients may be asked for. */
    activeTape?: { gradient?: (dys: unknown) => Record<string, () => tf.Tensor> }[];
  };
  addTapeNode(...args: unknown[]): void;
  makeTensorFromTensorInfo(info: tf.TensorInfo): tf.Tensor;
  startScope(name?: string): void;
  endScope(): void;
  disposeTensor(tensor: OpenVariable): void;
}

export function engine(): TfEngine {
  return tf.engine() as unknown as TfEngine;
}

/** tfjs-layers' LayerVariable: `val` is the tfjs variable behind a weight. */
export interface OpenWeight {
  name: string;
  val: OpenVariable;
  trainable: boolean;
  constraint: { apply(weight: tf.Tensor): tf.Tensor } | null;
}

export interface OpenLayer {
  name: string;
  getClassName(): string;
  apply(...args: unknown[]): unknown;
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[];
  layers?: OpenLayer[];
  [part: string]: unknown;
}

type StepFunction = (data: tf.Tensor[]) => tf.Scalar[];

/** A compiled tfjs model with the members that the trace uses. */
export interface OpenModel {
  name: string;
  inputs: unknown[];
  outputs: unknown[];
  layers: OpenLayer[];
  weights: OpenWeight[];
  collectedTrainableWeights: OpenWeight[];
  metricsNames: string[];
  optimizer_: unknown;
  lossFunctions?: unknown[];
  /** Metrics, each with the number of the output that it is of. */
  metricsTensors?: [metric: (target: unknown, output: unknown) => unknown, output: number][];
  testFunction: StepFunction | undefined;
  makeTrainFunction(): StepFunction;
  makeTestFunction(): void;
}

/** The model, or that inside a Sequential, with its inner members, checked to be compiled. */
export function openModel(model: tf.LayersModel, needsLoss = true): OpenModel {
  const open = innerModel(model) as unknown as OpenModel;
  if (needsLoss && !open.lossFunctions) {
    throw new Error(`model '${model.name}' is not compiled; call model.compile({optimizer, loss}) first`);
  }
  return open;
}
