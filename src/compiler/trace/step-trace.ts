/** One run of the model's own training or evaluation function, with inputs for tensors and a recorder for optimizer. */
import * as tf from '@tensorflow/tfjs';
import type { InputRole, OutputRole, TensorSpec } from '../../common/program.js';
import { concat, reshape } from '../graph/layout.js';
import type { Value } from '../graph/value.js';
import type { OpenModel, OpenVariable, OpenWeight } from './engine.js';
import { swapMethod } from './layers.js';
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

type LossFunction = (target: tf.Tensor, output: tf.Tensor) => tf.Tensor;

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
    const gradients = new Map<string, tf.Tensor>();
    // The optimizer's place is taken by a recorder: it differentiates but updates nothing.
    const minimize = (f: () => tf.Scalar, _returnCost: boolean, variables: tf.Variable[]): tf.Scalar => {
      const { value, grads } = tf.variableGrads(f, variables);
      for (const [name, gradient] of Object.entries(grads)) if (gradient) gradients.set(name, gradient);
      return value;
    };
    const swaps = [swapMethod(this.model, 'optimizer_', { minimize }), this.#weightLosses()];
    try {
      this.#addLogs(this.model.makeTrainFunction()(this.#data));
    } finally {
      for (const swap of swaps) swap.restore();
    }
    this.#addGradients(gradients);
    this.#addState();
  }

  evaluate(): void {
    const swaps = [swapMethod(this.model, 'testFunction', undefined), this.#weightLosses()];
    try {
      this.model.makeTestFunction();
      const values = (this.model.testFunction as unknown as (data: tf.Tensor[]) => tf.Scalar[])(this.#data);
      // With several outputs tfjs lists running totals of the loss first; the last of them is the loss.
      this.#addLogs(values.slice(this.model.outputs.length - 1));
    } finally {
      for (const swap of swaps) swap.restore();
    }
  }

  /** The outputs of the model, as `model.predict` computes them. */
  predict(): void {
    const features = this.#data.slice(0, this.model.inputs.length);
    const call = this.model as unknown as { apply(x: tf.Tensor[], options: object): tf.Tensor | tf.Tensor[] };
    [call.apply(features, { training: false })].flat().forEach((output, index) => {
      this.outputs.push({ role: { kind: 'prediction', index }, value: this.session.valueOf(output) });
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

  /**
   * Weights the rows in the losses of the model. tfjs' own way multiplies [rows] with the loss as it is: of sequences,
   * whose losses are [rows, steps], it would weight the steps.
   */
  #weightLosses(): { restore(): void } {
    const weighted = (this.model.lossFunctions as LossFunction[]).map((loss, i) => {
      const weights = this.#sampleWeights[i];
      if (!weights) return loss;
      return (target: tf.Tensor, output: tf.Tensor): tf.Tensor => {
        const value = loss(target, output);
        const isPerRow = value.rank > 1 && value.shape[0] === this.rows;
        return tf.mul(value, isPerRow ? tf.reshape(weights, [this.rows, ...value.shape.slice(1).fill(1)]) : weights);
      };
    });
    return swapMethod(this.model, 'lossFunctions', weighted);
  }

  #addLogs(scalars: tf.Scalar[]): void {
    const values = scalars.map((scalar) => reshape(this.session.valueOf(scalar), [1]));
    for (const scalar of scalars) scalar.dispose();
    this.outputs.push({ role: { kind: 'logs' }, value: concat(values, 0) });
  }

  #addGradients(gradients: ReadonlyMap<string, tf.Tensor>): void {
    const trainable = new Set(this.model.collectedTrainableWeights.map((weight) => weight.val));
    this.weights.forEach(({ val }, index) => {
      const gradient = gradients.get(val.name);
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
