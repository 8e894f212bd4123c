/** Convolutions of whole blocks of channels, which ONNX Runtime does in a layout of its own. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StepProgram } from '#shardfit/common/program.js';
import { compileEvaluationStep, compileTrainingStep } from '#shardfit/compiler/index.js';
import { channelBlock } from '#shardfit/compiler/onnx/channel-block.js';
import { Model } from '#shardfit/compiler/onnx/schema.js';
import { expectEvaluationStep, expectTrainingStep, oneHotRows, random } from './expect-step.js';
import { countOf, onnxOf } from './onnx-of.js';
import { specsOf } from './run-program.js';

beforeAll(() => tf.setBackend('cpu'));

const seeded = (seed: number) => tf.initializers.glorotNormal({ seed });
type ConvOptions = Partial<Parameters<typeof tf.layers.conv2d>[0]>;

/** Three convolutions of which the second one has `inputs` and `filters` channels. */
function model(inputs: number, filters: number, options: ConvOptions): tf.Sequential {
  const layers = [
    tf.layers.conv2d({ inputShape: [7, 8, 2], filters: inputs, kernelSize: 2, kernelInitializer: seeded(1) }),
    tf.layers.conv2d({ filters, kernelSize: 3, activation: 'relu', kernelInitializer: seeded(2), ...options }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 4, kernelInitializer: seeded(3) }),
  ];
  const sequential = tf.sequential({ layers });
  sequential.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  return sequential;
}

/** The inputs of a program that the operators of this type change first. */
function sourcesOf(operator: string, program: StepProgram): string[] {
  const { graph } = Model.decode(onnxOf(program)) as unknown as { graph: { node: OnnxNode[] } };
  const makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  const sourceOf = (name: string): string => {
    const maker = makers.get(name);
    return maker ? sourceOf(maker.input[0] as string) : name;
  };
  return graph.node.filter(({ opType }) => opType === operator).map(({ input }) => sourceOf(input[0] as string));
}

interface OnnxNode {
  opType: string;
  input: string[];
  output: string[];
}

const CASES: [string, number, number, ConvOptions][] = [
  ['16 to 16 channels', 16, 16, { padding: 'same' }],
  ['16 to 32 channels', 16, 32, { padding: 'same' }],
  ['32 to 16 channels', 32, 16, { padding: 'same' }],
  ['32 to 48 channels, without padding', 32, 48, {}],
  ['a kernel of 2 x 3', 16, 32, { padding: 'same', kernelSize: [2, 3] }],
  ['strides', 32, 32, { padding: 'same', strides: 2 }],
  ['5 to 32 channels, without padding', 5, 32, {}],
  ['3 to 16 channels, a kernel of 3 x 1', 3, 16, { padding: 'same', kernelSize: [3, 1] }],
];

describe('convolutions in blocks of channels', () => {
  it.each(CASES)('have the values and gradients of tfjs: %s', async (_, inputs, filters, options) => {
    const [x, y] = [random([3, 7, 8, 2], 5), random([3, 4], 6)];
    await expectTrainingStep(model(inputs, filters, options), [x], [y]);
    await expectEvaluationStep(model(inputs, filters, options), [x], [y]);
  });

  it('take the place of the plain ones where channels make whole blocks, forwards and backwards', () => {
    // Processors without such a layout have none to count.
    const has = Number(channelBlock() > 1);
    const [x, y] = [specsOf([random([3, 7, 8, 2], 5)]), specsOf([random([3, 4], 6)])];
    const same = { padding: 'same' } as const;
    const step = compileTrainingStep(model(16, 32, same), 3, x, y);
    // The first one, of few channels, has no gradient of its input.
    expect(countOf('BlockedConv', step)).toBe(3 * has);
    expect(countOf('Conv', step)).toBe(2 * (1 - has));
    expect(countOf('BlockedConv', compileEvaluationStep(model(16, 32, same), 3, x, y))).toBe(2 * has);
    expect(countOf('BlockedConv', compileTrainingStep(model(16, 20, same), 3, x, y))).toBe(has);
  });

  it('go on in blocks from one to the next', async () => {
    // The image is one block of channels as it stands.
    const channels = channelBlock();
    const conv = { filters: 2 * channels, kernelSize: 3, padding: 'same' as const, useBias: false };
    const layers = [
      tf.layers.conv2d({ inputShape: [6, 6, channels], ...conv }),
      tf.layers.conv2d(conv),
      tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ];
    const chain = tf.sequential({ layers });
    chain.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    const [x, y] = [random([4, 6, 6, channels], 5), oneHotRows(4, 3)];
    await expectTrainingStep(chain, [x], [y]);
    // Evaluation needs the values in between in no other layout: only the filters are put into blocks.
    const program = compileEvaluationStep(chain, 4, specsOf([x]), specsOf([y]));
    const sources = sourcesOf('ReorderInput', program);
    expect(sources).toHaveLength(channels > 1 ? 2 : 0);
    for (const source of sources) expect(source).toMatch(/^weight_/);
  });
});

describe('gradients of a convolution under a pooling', () => {
  const pooled = (filters: number, padding: 'same' | 'valid') => {
    const conv = { kernelSize: 3, padding, activation: 'relu' as const };
    const layers = [
      tf.layers.conv2d({ inputShape: [12, 12, 2], filters: 16, ...conv, kernelInitializer: seeded(1) }),
      tf.layers.conv2d({ filters, ...conv, kernelInitializer: seeded(2) }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: seeded(3) }),
    ];
    const model = tf.sequential({ layers });
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    return model;
  };
  const [x, y] = [random([8, 12, 12, 2], 5), oneHotRows(8, 3)];
  const has = Number(channelBlock() > 1);

  it.each(['same', 'valid'] as const)(
    'are convolutions of it as a whole where channels make blocks (%s)',
    async (padding) => {
      const model = pooled(32, padding);
      await expectTrainingStep(model, [x], [y]);
      const program = compileTrainingStep(model, 8, specsOf([x]), specsOf([y]));
      // Two forwards, and both gradients of the second.
      expect(countOf('BlockedConv', program)).toBe(4 * has);
    },
  );

  it('are products of its windows where they make none', async () => {
    const model = pooled(20, 'valid');
    await expectTrainingStep(model, [x], [y]);
    const program = compileTrainingStep(model, 8, specsOf([x]), specsOf([y]));
    expect(countOf('BlockedConv', program)).toBe(has);
    expect(countOf('Conv', program)).toBe(4);
  });
});

/** Enough pixels for channels' numbers to be repeated over them. */
describe('numbers for each of a few channels', () => {
  it.each([16, 32, 48])(
    'meet images of %i channels as in tfjs: batch norm, forwards and backwards',
    async (filters) => {
      const input = tf.input({ shape: [16, 22, 3] });
      const conv = (x: tf.SymbolicTensor, seed: number) =>
        tf.layers
          .conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: seeded(seed) })
          .apply(x) as tf.SymbolicTensor;
      const norm = (x: tf.SymbolicTensor) =>
        tf.layers
          .batchNormalization({ betaInitializer: seeded1d(7), gammaInitializer: seeded1d(8) })
          .apply(x) as tf.SymbolicTensor;
      let x = tf.layers.reLU().apply(norm(conv(input, 1))) as tf.SymbolicTensor;
      x = tf.layers.add().apply([x, norm(conv(x, 2))]) as tf.SymbolicTensor;
      // Without it the mean's gradient is the same for all pixels of an image, and gamma's is a sum that nearly cancels.
      x = tf.layers.reLU().apply(x) as tf.SymbolicTensor;
      x = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x) as tf.SymbolicTensor;
      const outputs = tf.layers.dense({ units: 3, kernelInitializer: seeded(3) }).apply(x) as tf.SymbolicTensor;
      const built = tf.model({ inputs: input, outputs });
      built.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      const [features, targets] = [random([3, 16, 22, 3], 5), random([3, 3], 6)];
      const wide = compileTrainingStep(built, 3, specsOf([features]), specsOf([targets]));
      if (channelBlock() === 16) {
        // A row of 22 pixels with 16 channels; of more channels as many pixels of a block as make 256 numbers.
        const run = filters === 16 ? 'i64_22_16' : `i64_${filters / 16}_1_16_16`;
        expect(onnxOf(wide).includes(run)).toBe(true);
        // The second one comes with a scale, a shift and a sum.
        expect(countOf('Relu', wide)).toBeLessThan(2);
      }
      await expectTrainingStep(built, [features], [targets]);
    },
  );
});

const seeded1d = (seed: number) => tf.initializers.randomNormal({ mean: 1, stddev: 0.3, seed });
