/** Products along an axis, the largest elements of one, and where errors say that an operation is. */
import * as tf from '@tensorflow/tfjs';
import { evaluate, predict } from 'shardfit';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileTrainingStep } from '#shardfit/compiler/index.js';
import { expectClose, expectEvaluationStep, expectTrainingStep, random } from './expect-step.js';

beforeAll(() => tf.setBackend('cpu'));

type Operation = (x: tf.Tensor) => tf.Tensor;

class Custom extends tf.layers.Layer {
  static className = 'CustomOperation';
  constructor(
    readonly f: Operation,
    readonly units: number,
    name: string,
  ) {
    super({ name });
  }
  override computeOutputShape(): tf.Shape {
    return [null, this.units];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.f((Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor));
  }
}

/** An operation between dense layers; half of what it is given is zero. */
function network(
  f: Operation,
  units: number,
  metric: (y: tf.Tensor, p: tf.Tensor) => tf.Tensor = tf.metrics.meanSquaredError,
) {
  const init = (seed: number) => tf.initializers.randomUniform({ minval: -1, maxval: 1, seed });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [4], units: 5, activation: 'relu', kernelInitializer: init(1) }),
      new Custom(f, units, 'operation'),
      tf.layers.dense({ units: 2, kernelInitializer: init(2) }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: [metric] });
  return model;
}

const [X, Y] = [random([12, 4], 3), random([12, 2], 4)];

describe('products', () => {
  it('have the gradient of tfjs, also where factors are zero', async () => {
    const cases: [Operation, number][] = [
      [(x) => tf.prod(x, 1, true), 1],
      // One factor is 0 in every row: only its own gradient is not.
      [(x) => tf.prod(tf.mul(tf.add(x, 0.5), tf.tensor1d([1, 1, 0, 1, 1])), 1, true), 1],
      [(x) => tf.prod(tf.reshape(tf.sub(x, 0.7), [-1, 5, 1]), [1, 2], true).reshape([-1, 1]), 1],
    ];
    for (const [f, units] of cases) await expectTrainingStep(network(f, units), [X], [Y]);
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('along an axis are those of tf.cumprod (exclusive %s, reverse %s)', async (exclusive, reverse) => {
    const f: Operation = (x) => tf.cumprod(tf.sub(x, 0.3), 1, exclusive, reverse);
    await expectEvaluationStep(network(f, 5), [X], [Y]);
  });
});

it('tf.topk has its values and indices, in a layer and in a metric', async () => {
  const largest: Operation = (x) => {
    const { values, indices } = tf.topk(x, 3);
    return tf.add(values, tf.cast(indices, 'float32'));
  };
  const layered = network(largest, 3);
  const outputs = (await predict(layered, X, { engine: 'onnx', workers: 1 })) as tf.Tensor;
  expectClose(outputs.dataSync(), (layered.predict(X) as tf.Tensor).dataSync(), 'outputs');
  const places = (_: tf.Tensor, p: tf.Tensor) => tf.mean(tf.cast(tf.topk(p, 1).indices, 'float32'));
  const measured = network((x) => x, 5, places);
  const { loss, places: mean } = await evaluate(measured, X, Y, { engine: 'onnx', workers: 1 });
  const expected = (measured.evaluate(X, Y) as tf.Scalar[]).map((value) => value.dataSync()[0] as number);
  expectClose([loss as number, mean as number], expected, 'loss and metric');
});

describe('an operation that cannot be compiled is said to be', () => {
  const unknown: Operation = (x) => tf.atan2(x, tf.onesLike(x));
  const spec = (size: number) => [{ shape: [size], dtype: 'float32' as const }];

  it('in its layer, also when its gradient is to blame', () => {
    const custom: Operation = (x) => tf.customGrad((z) => ({ value: tf.mul(z as tf.Tensor, 2), gradFunc: unknown }))(x);
    expect(() => compileTrainingStep(network(custom, 5), 12, spec(4), spec(2))).toThrow(
      /in layer 'operation' has no low/,
    );
  });

  it('in the metric or the loss', () => {
    const model = network(
      (x) => x,
      5,
      function closeness(y, p) {
        return tf.mean(unknown(tf.sub(y, p)));
      },
    );
    expect(() => compileTrainingStep(model, 12, spec(4), spec(2))).toThrow(/in metric 'closeness' has no lowering/);
    model.compile({ optimizer: 'sgd', loss: (y, p) => tf.mean(unknown(tf.sub(y, p))) });
    expect(() => compileTrainingStep(model, 12, spec(4), spec(2))).toThrow(/in the loss has no lowering/);
  });
});
