/** One run of the model's own training or evaluation function, with inputs for tensors and a recorder for optimizer. */
import * as tf from '@tensorflow/tfjs';
import type { InputRole, OutputRole, TensorSpec } from '../../common/program.js';
import { concat, reshape } from '../graph/layout.js';
import type { Value } from '../graph/value.js';
import type { OpenModel, OpenVariable, OpenWeight } from './engine.js';
import { type BatchTensors, runEvaluation, runTraining } from './model-steps.js';
import { NotTraceable } from './not-traceable.js';
import type { TraceSession } from './session.js';

export interface StepOutput {
  role: OutputRole;
  value: Value;
}

/** What a step takes besides weights: shapes and types of its data for one row, and for how many rows. */
export interface DataSpecs {
  rows: number;
  features: TensorSpec[];
  targets: TensorSpec[];
  /** For each output, whether its rows have weights in the loss. */
  sampleWeights: readonly boolean[];
}

export class StepTrace {
  readonly rows: number;
  readonly roles = new Map<Value, InputRole>();
  readonly outputs: StepOutput[] = [];
  readonly #data: tf.Tensor[];
  #streams = 0;
  /** By output; undefined where rows have no weights. */
  readonly #sampleWeights: (tf.Tensor | undefined)[];

  constructor(
    readonly model: OpenModel,
    /** The user's `model.weights`: roles count in it. */
    readonly weights: OpenWeight[],
    readonly session: TraceSession,
    { rows, features, targets, sampleWeights }: DataSpecs,
  ) {
    this.rows = rows;
    const feed = (kind: 'feature' | 'target') => (spec: TensorSpec, index: number) =>
      this.#input(`${kind}_${index}`, { shape: [rows, ...spec.shape], dtype: spec.dtype }, { kind, index });
    this.#data = [...features.map(feed('feature')), ...targets.map(feed('target'))];
    this.#sampleWeights = sampleWeights.map((isGiven, index) => {
      if (!isGiven) return undefined;
      const spec: TensorSpec = { shape: [rows], dtype: 'float32' };
      return this.#input(`sampleWeight_${index}`, spec, { kind: 'sampleWeight', index });
    });
    this.#shadowWeights();
  }

  #input(name: string, spec: TensorSpec, role: InputRole): tf.Tensor {
    const value = this.session.graph.input(name, spec);
    this.roles.set(value, role);
    return this.session.tensorOf(value);
  }

  /** A new input of uniform numbers. Where rows were merged with another axis, the input still counts them apart. */
  drawUniform(shape: number[], perRow: boolean): tf.Tensor {
    const stream = this.#streams++;
    const [first = 1, ...rest] = shape;
    const whole = perRow && first % this.rows === 0;
    const split = whole && first !== this.rows ? [this.rows, first / this.rows, ...rest] : shape;
    const role: InputRole = { kind: 'uniform', stream, perRow: whole };
    return tf.reshape(this.#input(`uniform_${stream}`, { shape: split, dtype: 'float32' }, role), shape);
  }

  #shadowWeights(): void {
    const indices = new Map(this.weights.map((weight, index) => [weight.val, index]));
    this.session.shadowVariables((variable) => {
      const index = indices.get(variable);
      const type = { shape: variable.shape, dtype: variable.dtype as TensorSpec['dtype'] };
      if (index === undefined) return this.session.capture(variable as unknown as tf.Tensor);
      const value = this.session.graph.input(`weight_${index}`, type);
      this.roles.set(value, { kind: 'weight', index });
      return value;
    });
  }

  train(): void {
    let gradients: tf.NamedTensorMap = {};
    const logs = runTraining(this.model, this.#batch, (found) => {
      gradients = found;
    });
    this.#addLogs(logs);
    this.#addGradients(gradients);
    this.#addState();
  }

  evaluate(): void {
    this.#addLogs(runEvaluation(this.model, this.#batch));
  }

  /** The outputs of the model, as `model.predict` computes them. */
  predict(): void {
    const features = this.#data.slice(0, this.model.inputs.length);
    const call = this.model as unknown as { apply(x: tf.Tensor[], options: object): tf.Tensor | tf.Tensor[] };
    const results = [call.apply(features, { training: false })].flat();
    this.model.outputs.forEach((output, index) => {
      // tfjs gives one that is listed twice its first place only.
      const result = results[this.model.outputs.indexOf(output)] as tf.Tensor;
      this.outputs.push({ role: { kind: 'prediction', index }, value: this.session.valueOf(result) });
    });
  }

  /** Trained weights as their constraints want them. */
  constrain(): void {
    const trainable = new Set(this.model.collectedTrainableWeights.map((weight) => weight.val));
    this.weights.forEach(({ val, constraint }, index) => {
      if (!constraint || !trainable.has(val)) return;
      const value = this.session.valueOf(constraint.apply(val as unknown as tf.Tensor));
      this.outputs.push({ role: { kind: 'constrained', index }, value });
    });
  }

  get #batch(): BatchTensors {
    return { rows: this.rows, data: this.#data, sampleWeights: this.#sampleWeights };
  }

  #addLogs(scalars: tf.Scalar[]): void {
    const values = scalars.map((scalar) => reshape(this.session.valueOf(scalar), [1]));
    for (const scalar of scalars) scalar.dispose();
    this.outputs.push({ role: { kind: 'logs' }, value: concat(values, 0) });
  }

  #addGradients(gradients: tf.NamedTensorMap): void {
    const trainable = new Set(this.model.collectedTrainableWeights.map((weight) => weight.val));
    this.weights.forEach(({ val }, index) => {
      const gradient = gradients[val.name];
      if (!gradient || !trainable.has(val)) return;
      this.outputs.push({ role: { kind: 'gradient', index }, value: this.session.valueOf(gradient) });
    });
  }

  #addState(): void {
    const assigned = this.session.assigned();
    this.weights.forEach(({ val }, index) => {
      const value = assigned.get(val);
      if (value) this.outputs.push({ role: { kind: 'state', index }, value });
      assigned.delete(val);
    });
    for (const variable of assigned.keys()) throw assignedError(variable);
  }
}

function assignedError(variable: OpenVariable): Error {
  return new NotTraceable(
    `the training step assigns variable '${variable.name}', which is not a weight of the model`,
    'make it a weight with layer.addWeight',
  );
}
