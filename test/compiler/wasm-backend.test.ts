/** tfjs' wasm backend with kernels of cpu for those that it lacks or has wrong: every layer's step beside the one on cpu. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useFastestBackend } from '#shardfit/worker/wasm-backend.js';
import { cases } from './conformance/cases/index.js';
import { Draws } from './conformance/draws.js';
import { groupBy, type LayerCase, targetsOf } from './conformance/layer-case.js';
import { relativeError, tfjsStep } from './tfjs-step.js';

const ROWS = 3;

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
  await useFastestBackend();
});
afterAll(() => tf.setBackend('cpu'));

/** Leaves memory behind that is not zero, for kernels that take it to be. */
function soil(): void {
  const sizes = Array.from({ length: 1000 }, (_, i) => 1 + ((i * 37) % 400));
  tf.dispose(sizes.map((size, i) => tf.fill([size], i % 2 ? 1e20 : Number.NaN)));
}

/** Loss, gradients and new weights of a step, and the loss of an evaluation. */
function stepOn(backend: string, { build, features }: LayerCase): Map<string, ArrayLike<number>> {
  tf.setBackend(backend);
  if (backend === 'wasm') soil();
  const model = build();
  const [x, y] = [features(ROWS), targetsOf(model, ROWS)];
  const draws = new Draws().install(model, ROWS);
  try {
    const { logs, gradients } = tfjsStep(model, x, y);
    const results = new Map<string, ArrayLike<number>>([['logs', logs]]);
    for (const [index, gradient] of gradients) results.set(`gradient ${index}`, gradient);
    model.getWeights().forEach((weight, index) => {
      results.set(`weight ${index}`, weight.dataSync());
    });
    const evaluated = model.evaluate(x, y, { batchSize: ROWS }) as tf.Scalar;
    return results.set('evaluation', evaluated.dataSync());
  } finally {
    draws.restore();
  }
}

// Where tfjs' own gradient is wrong on cpu, it is no reference.
const comparable = cases.filter(({ numerical, equivalent, refused }) => !numerical && !equivalent && !refused);

it.each(groupBy(comparable, ({ factory }) => factory))('%s has the step of cpu', (_, ofLayer) => {
  expect(tf.getBackend()).toMatch(/wasm|cpu/);
  for (const layerCase of ofLayer) {
    const expected = stepOn('cpu', layerCase);
    const actual = stepOn('wasm', layerCase);
    expect([...actual.keys()]).toEqual([...expected.keys()]);
    for (const [name, values] of expected) {
      const error = relativeError(actual.get(name) as ArrayLike<number>, values);
      expect(error, `${layerCase.options}: ${name}`).toBeLessThan(1e-4);
    }
  }
});

it('takes what wasm refuses, such as whole numbers for a mean of squares, and leaves no memory behind', () => {
  tf.setBackend('wasm');
  const data = () => (tf.findBackend('cpu') as tf.KernelBackend & { numDataIds(): number }).numDataIds();
  const before = [tf.memory().numTensors, data()];
  const values = tf.tidy(() => {
    const whole = tf.tensor1d([1, 2, 3], 'int32');
    const segments = tf.unsortedSegmentSum(tf.tensor1d([1, 2, 3]), tf.tensor1d([0, 1, 0], 'int32'), 2);
    return [tf.mean(tf.square(whole)), segments, tf.erf(whole), tf.topk(segments).values].map((t) => [...t.dataSync()]);
  });
  expect(values).toEqual([[expect.closeTo(14 / 3)], [4, 2], expect.any(Array), [4]]);
  expect([tf.memory().numTensors, data()]).toEqual(before);
});
