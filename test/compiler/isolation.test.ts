import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { TensorSpec } from '#shardfit/common/program.js';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { onnxOf } from './onnx-of.js';

beforeAll(() => tf.setBackend('cpu'));

const spec = (...shape: number[]): TensorSpec[] => [{ shape, dtype: 'float32' }];

class Custom extends tf.layers.Layer {
  static className = 'Custom';
  constructor(
    name: string,
    readonly f: (x: tf.Tensor) => tf.Tensor,
  ) {
    super({ name });
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.f((Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor);
  }
  override getClassName(): string {
    return 'Custom';
  }
}

function network(...more: tf.layers.Layer[]): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [4], units: 3, activation: 'relu' }),
      tf.layers.batchNormalization(),
      tf.layers.dropout({ rate: 0.5 }),
      ...more,
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'] });
  return model;
}

/** Everything that a trace could leave changed. */
function snapshot(model: tf.Sequential): Record<string, unknown> {
  const inner = (model as unknown as { model: Record<string, unknown> }).model;
  const weights = model.weights.map((w) => (w as unknown as { val: tf.Variable }).val);
  return {
    backend: tf.getBackend(),
    backends: Object.keys((tf.engine() as unknown as { registryFactory: object }).registryFactory),
    memory: tf.memory(),
    optimizer: inner.optimizer_,
    testFunction: inner.testFunction,
    ownKeys: model.layers.map((layer) => Object.keys(layer)),
    calls: model.layers.map((layer) => [layer.call, layer.apply]),
    values: weights.map((w) => Array.from(w.dataSync())),
    dataIds: weights.map((w) => w.dataId),
    random: Math.random,
    gradient: tf.getGradient('Conv2D'),
    depth: (tf.engine() as unknown as { state: Record<string, unknown> }).state.gradientDepth,
  };
}

describe('after compiling', () => {
  it('the model and tfjs are as before', () => {
    const model = network();
    const before = snapshot(model);
    compileTrainingStep(model, 5, spec(4), spec(3));
    compileEvaluationStep(model, 5, spec(4), spec(3));
    expect(snapshot(model)).toEqual(before);
    expect(snapshot(model).dataIds).toEqual(before.dataIds);
  });

  it('variables of text and of complex numbers are passed over', () => {
    const others = [tf.variable(tf.tensor1d(['a'])), tf.variable(tf.complex([1], [2]))];
    const model = network();
    const before = snapshot(model);
    expect(compileTrainingStep(model, 5, spec(4), spec(3)).outputs.length).toBeGreaterThan(1);
    expect(snapshot(model)).toEqual(before);
    const using = network(new Custom('reader', (x) => tf.add(x, tf.real(others[1] as tf.Tensor))));
    expect(() => compileTrainingStep(using, 5, spec(4), spec(3))).toThrow(
      /tensors of type 'complex64' cannot be part of a compiled step/,
    );
    tf.dispose(others);
  });

  it('the model still trains and disposes with tfjs alone', async () => {
    const model = network();
    compileTrainingStep(model, 5, spec(4), spec(3));
    const before = model.getWeights().map((w) => w.dataSync().slice());
    await model.fit(tf.ones([5, 4]), tf.ones([5, 3]), { epochs: 1, verbose: 0 });
    expect(model.getWeights().some((w, i) => w.dataSync().some((v, k) => v !== before[i]?.[k]))).toBe(true);
    expect(() => model.dispose()).not.toThrow();
  });

  for (const [what, layer, message] of [
    [
      'reads a value',
      () => new Custom('reader', (x) => tf.mul(x, (x.dataSync() as Float32Array)[0] as number)),
      /layer 'reader' reads the value/,
    ],
    [
      'uses a kernel without lowering',
      () => new Custom('bincounter', (x) => tf.add(x, tf.multinomial(x as tf.Tensor2D, 1, 3).cast('float32'))),
      /kernel 'Multinomial' in layer 'bincounter'/,
    ],
    [
      'throws',
      () =>
        new Custom('thrower', () => {
          throw new Error('no reason');
        }),
      /no reason/,
    ],
  ] as const) {
    it(`fails because a layer ${what}, all is as before and the error says where`, () => {
      const model = network();
      const ok = snapshot(model);
      expect(ok.depth).toBe(0);
      const failing = network(layer());
      const before = snapshot(failing);
      expect(() => compileTrainingStep(failing, 5, spec(4), spec(3))).toThrow(message);
      expect(() => compileEvaluationStep(failing, 5, spec(4), spec(3))).toThrow(message);
      expect(snapshot(failing)).toEqual(before);
      // And the next compilation works.
      expect(compileTrainingStep(model, 5, spec(4), spec(3)).outputs.length).toBeGreaterThan(1);
    });
  }

  it('fails in a gradient, the error names the layer whose gradient it is', () => {
    const sampled = tf.customGrad((x, save) => {
      const value = tf.mul(x as tf.Tensor, 2);
      (save as tf.GradSaveFunc)([value]);
      const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.mul(dy, tf.multinomial(y as tf.Tensor2D, 1, 3));
      return { value, gradFunc };
    });
    const failing = network(new Custom('sampler', (x) => sampled(x)));
    expect(() => compileTrainingStep(failing, 5, spec(4), spec(3))).toThrow(/in layer 'sampler'/);
  });
});

describe('arguments', () => {
  it('are checked', () => {
    const model = network();
    expect(() => compileTrainingStep(model, 0, spec(4), spec(3))).toThrow('rows must be a positive integer, got 0');
    expect(() => compileTrainingStep(model, 5, [], spec(3))).toThrow(
      /has 1 inputs and 1 outputs, got 0 features and 1 targets/,
    );
    const bare = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
    expect(() => compileTrainingStep(bare, 5, spec(2), spec(1))).toThrow(/is not compiled; call model.compile/);
  });
});

describe('two copies of the compiler in one process', () => {
  it('record into their own traces, in whatever order they are used', async () => {
    const model = network();
    vi.resetModules();
    const other = await import('#shardfit/compiler/index.js');
    expect(other.compileTrainingStep).not.toBe(compileTrainingStep);
    const expected = onnxOf(compileTrainingStep(model, 5, spec(4), spec(3)));
    expect(onnxOf(other.compileTrainingStep(model, 5, spec(4), spec(3)))).toEqual(expected);
    expect(onnxOf(compileTrainingStep(model, 5, spec(4), spec(3)))).toEqual(expected);
  });
});
