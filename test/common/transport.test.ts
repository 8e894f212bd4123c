import { describe, expect, it } from 'vitest';
import { NON_TEMPORAL_COPY } from '#shardfit/common/non-temporal-copy.js';
import { sgd } from '#shardfit/common/optimizers/index.js';
import { layOutParameters } from '#shardfit/common/parameters.js';
import { pushedGradients, stagedWeights } from '#shardfit/common/transport.js';

describe('room for new weights, and for pushed gradients', () => {
  const training = { rule: { kind: 'sync' }, split: 'rows', transport: 'auto', workers: 2, shards: 2 } as const;
  const momentum = sgd({ learningRate: 0.1, momentum: 0.9 });
  const parameters = (trained: number) =>
    layOutParameters([{ index: 0, name: 'kernel', shape: [trained], role: 'trained' }]);

  it('is for as many weights as a worker has, and for 16,384 at most', () => {
    expect(stagedWeights(parameters(9008), training, momentum)).toBe(4512);
    expect(stagedWeights(parameters(9008), { ...training, workers: 5 }, momentum)).toBe(1808);
    expect(stagedWeights(parameters(101_776), training, momentum)).toBe(16_384);
  });

  it('is for the gradients of all shards', () => {
    expect(pushedGradients(parameters(9008), { ...training, shards: 5 }, momentum)).toBe(
      NON_TEMPORAL_COPY ? 45_040 : 0,
    );
  });

  it.each([
    ['one worker', 9008, { workers: 1 }],
    ['shares of units', 9008, { split: 'units' }],
    ['weights that all write at any time', 9008, { rule: { kind: 'hogwild' } }],
    ['few weights of a worker', 2000, {}],
  ] as const)('is not there for %s', (_, trained, other) => {
    expect(stagedWeights(parameters(trained), { ...training, ...other }, momentum)).toBe(0);
    expect(pushedGradients(parameters(trained), { ...training, ...other }, momentum)).toBe(0);
  });

  it('is there for weights that no cache holds only where they are pushed', () => {
    const large = parameters((1 << 19) + 16);
    expect(stagedWeights(large, training, momentum)).toBe(NON_TEMPORAL_COPY ? 16_384 : 0);
    expect(stagedWeights(large, training, sgd({ learningRate: 0.1, clipNorm: 0.5 }))).toBe(0);
    const huge = parameters(1 << 26);
    expect(pushedGradients(large, { ...training, transport: 'pull' }, momentum)).toBe(0);
    expect([stagedWeights(huge, training, momentum), pushedGradients(huge, training, momentum)]).toEqual([0, 0]);
  });
});
