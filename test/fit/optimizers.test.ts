/** Every optimizer of tfjs, compiled or by factory, held against tfjs' own over 20 updates. */
import * as tf from '@tensorflow/tfjs';
import { adadelta, adagrad, adam, adamax, adamw, fit, type Optimizer, rmsprop, sgd } from 'shardfit';
import { describe, expect, it } from 'vitest';

const ROWS = 44;

function build(optimizer: tf.Optimizer): tf.Sequential {
  const seeded = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 9, activation: 'tanh', inputShape: [5], ...seeded(1) }),
      tf.layers.dense({ units: 2, ...seeded(2) }),
    ],
  });
  model.compile({ optimizer, loss: 'meanSquaredError' });
  return model;
}

const x = tf.randomNormal([ROWS, 5], 0, 1, 'float32', 3);
const y = tf.randomNormal([ROWS, 2], 0, 1, 'float32', 4);

/** 20 updates: 4 a time, the last of an epoch smaller. */
const ARGS = { batchSize: 13, epochs: 5, shuffle: false };

const weightsOf = (model: tf.LayersModel) => model.getWeights().flatMap((w) => [...w.dataSync()]);

/** Largest difference over the largest weight. */
function difference(a: number[], b: number[]): number {
  const largest = Math.max(...a.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number)))) / largest;
}

const COMPILED: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  nesterov: () => tf.train.momentum(0.05, 0.9, true),
  adagrad: () => tf.train.adagrad(0.1),
  adadelta: () => tf.train.adadelta(0.1),
  adam: () => tf.train.adam(0.01),
  'adam with another epsilon': () => tf.train.adam(0.01, 0.8, 0.99, 1e-3),
  adamax: () => tf.train.adamax(0.01, 0.9, 0.999, 1e-7, 0.1),
  rmsprop: () => tf.train.rmsprop(0.01),
  'rmsprop with momentum': () => tf.train.rmsprop(0.01, 0.9, 0.5),
  // A large epsilon would make the difference below tfjs' root negative: it subtracts it.
  'rmsprop, centered': () => tf.train.rmsprop(0.001, 0.9, 0.5, 1e-10, true),
};

describe('a compiled optimizer', () => {
  for (const [name, make] of Object.entries(COMPILED)) {
    it(`${name} does what tfjs does`, async () => {
      const [theirs, ours] = [build(make()), build(make())];
      const before = weightsOf(ours);
      await theirs.fit(x, y, ARGS);
      await fit(ours, x, y, { ...ARGS, workers: 2 });
      expect(difference(weightsOf(theirs), weightsOf(ours))).toBeLessThan(1e-5);
      expect(difference(before, weightsOf(ours)), 'it moved').toBeGreaterThan(1e-3);
    });
  }
});

describe('a learning rate of 0', () => {
  const RATES: Record<string, (rate: number) => tf.Optimizer> = {
    sgd: tf.train.sgd,
    momentum: (rate) => tf.train.momentum(rate, 0.9),
    adagrad: tf.train.adagrad,
    adadelta: tf.train.adadelta,
    adam: tf.train.adam,
    adamax: tf.train.adamax,
    rmsprop: tf.train.rmsprop,
  };

  it.each(Object.keys(RATES))('of a compiled %s leaves the weights as they are, as in tfjs', async (name) => {
    const model = build((RATES[name] as (rate: number) => tf.Optimizer)(0));
    const before = weightsOf(model);
    const { history } = await fit(model, x, y, { ...ARGS, workers: 2 });
    expect(weightsOf(model)).toEqual(before);
    const expected = await model.fit(x, y, ARGS);
    expect(history.loss?.at(-1)).toBeCloseTo(expected.history.loss?.at(-1) as number, 5);
    expect(weightsOf(model)).toEqual(before);
  });

  it('can be set by a callback, after which nothing moves any more', async () => {
    const model = build(tf.train.sgd(0.1));
    let reached: number[] = [];
    const onEpochEnd = async (epoch: number) => {
      if (epoch === 1) reached = weightsOf(model);
      if (epoch === 1) (model.optimizer as tf.SGDOptimizer).setLearningRate(0);
    };
    await fit(model, x, y, { ...ARGS, workers: 2, callbacks: { onEpochEnd } });
    expect(weightsOf(model)).toEqual(reached);
  });
});

/** Keras' formulas in double precision, for one weight with gradient g_t = sin(t + 1). */
const KERAS: Record<string, { optimizer: Optimizer; update: (g: number, t: number, s: number[]) => number }> = {
  adadelta: {
    optimizer: adadelta({ learningRate: 0.5 }),
    update: (g, _, s) => {
      s[0] = 0.95 * (s[0] ?? 0) + 0.05 * g * g;
      const d = (g * Math.sqrt((s[1] ?? 0) + 1e-7)) / Math.sqrt(s[0] + 1e-7);
      s[1] = 0.95 * (s[1] ?? 0) + 0.05 * d * d;
      return -0.5 * d;
    },
  },
  adam: {
    optimizer: adam({ learningRate: 0.1, epsilon: 1e-2 }),
    update: (g, t, s) => {
      s[0] = 0.9 * (s[0] ?? 0) + 0.1 * g;
      s[1] = 0.999 * (s[1] ?? 0) + 0.001 * g * g;
      const alpha = (0.1 * Math.sqrt(1 - 0.999 ** (t + 1))) / (1 - 0.9 ** (t + 1));
      return (-alpha * s[0]) / (Math.sqrt(s[1]) + 1e-2);
    },
  },
  adagrad: {
    optimizer: adagrad({ learningRate: 0.3, initialAccumulator: 0.2 }),
    update: (g, _, s) => {
      s[0] = (s[0] ?? 0.2) + g * g;
      return (-0.3 * g) / Math.sqrt(s[0] + 1e-7);
    },
  },
  adamax: {
    optimizer: adamax({ learningRate: 0.1 }),
    update: (g, t, s) => {
      s[0] = 0.9 * (s[0] ?? 0) + 0.1 * g;
      s[1] = Math.max(0.999 * (s[1] ?? 0), Math.abs(g));
      return ((-0.1 / (1 - 0.9 ** (t + 1))) * s[0]) / (s[1] + 1e-7);
    },
  },
  'rmsprop, centered': {
    optimizer: rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
    update: (g, _, s) => {
      s[0] = 0.9 * (s[0] ?? 0) + 0.1 * g * g;
      s[1] = 0.9 * (s[1] ?? 0) + 0.1 * g;
      s[2] = 0.5 * (s[2] ?? 0) + (0.01 * g) / Math.sqrt(s[0] - s[1] ** 2 + 1e-7);
      return -s[2];
    },
  },
};

/** A model w * x with the loss w * x: its gradient is the row. */
async function follow(rows: number[], start: number, optimizer: Optimizer): Promise<number> {
  const kernelInitializer = tf.initializers.constant({ value: start });
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1], kernelInitializer })],
  });
  model.compile({ optimizer: 'sgd', loss: (_, prediction) => prediction });
  const input = tf.tensor2d(rows, [rows.length, 1]);
  await fit(model, input, tf.zeros([rows.length, 1]), { batchSize: 1, shuffle: false, workers: 1, optimizer });
  return model.getWeights()[0]?.dataSync()[0] as number;
}

const SINES = Array.from({ length: 20 }, (_, t) => Math.sin(t + 1));

describe('an optimizer of a factory', () => {
  for (const [name, { optimizer, update }] of Object.entries(KERAS)) {
    it(`${name} has Keras' formula`, async () => {
      const state: number[] = [];
      const expected = SINES.reduce((w, g, t) => w + update(g, t, state), 2);
      expect(await follow(SINES, 2, optimizer)).toBeCloseTo(expected, 5);
    });
  }

  it('decays weights apart from the gradient', async () => {
    const zeros = [0, 0, 0];
    const decayed = await follow(zeros, 2, sgd({ learningRate: 1, weightDecay: 0.004 }));
    expect(decayed).toBeCloseTo(2 * 0.996 ** 3, 6);
    expect(await follow(zeros, 2, adamw({ learningRate: 1 }))).toBeCloseTo(2 * 0.996 ** 3, 6);
  });
});

describe('clipping', () => {
  /** Weights [w0, w1] with gradient [x0, x1], and a bias with gradient 1. */
  async function descend(optimizer: Optimizer, row: [number, number], workers: number): Promise<number[]> {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })],
    });
    model.compile({ optimizer: 'sgd', loss: (_, prediction) => prediction });
    const input = tf.tensor2d([row, row, row], [3, 2]);
    await fit(model, input, tf.zeros([3, 1]), { batchSize: 3, workers, optimizer });
    return weightsOf(model);
  }

  for (const workers of [1, 2, 3]) {
    it(`shortens each weight's gradient to clipNorm (${workers} workers)`, async () => {
      const [a, b, bias] = await descend(sgd({ learningRate: 1, clipNorm: 1 }), [100, 100], workers);
      const side = Number(Math.SQRT1_2.toFixed(5));
      expect([a, b, bias].map((w) => Number(w?.toFixed(5)))).toEqual([-side, -side, -1]);
    });

    it(`shortens the whole gradient to globalClipNorm (${workers} workers)`, async () => {
      const [a, b, bias] = await descend(sgd({ learningRate: 1, globalClipNorm: 1 }), [2, 2], workers);
      expect([a, b, bias].map((w) => Number(w?.toFixed(5)))).toEqual([-0.66667, -0.66667, -0.33333]);
    });

    it(`cuts off values at clipValue (${workers} workers)`, async () => {
      expect(await descend(sgd({ learningRate: 1, clipValue: 0.5 }), [2, -0.25], workers)).toEqual([-0.5, 0.25, -0.5]);
    });
  }

  it('leaves short gradients alone', async () => {
    expect(await descend(sgd({ learningRate: 1, clipNorm: 3 }), [2, 0], 2)).toEqual([-2, 0, -1]);
  });
});
