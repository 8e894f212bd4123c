import { describe, expect, it } from 'vitest';
import { learningRateAt, type SgdOptions, sgd, slotsOf } from '#shardfit/common/optimizers/index.js';

describe('sgd', () => {
  it("has Keras' defaults", () => {
    expect(sgd()).toMatchObject({ learningRate: 0.01, momentum: 0, nesterov: false, decay: 0 });
  });

  it('keeps one velocity per parameter, and none without momentum', () => {
    expect(slotsOf(sgd({ momentum: 0.9 }))).toBe(1);
    expect(slotsOf(sgd())).toBe(0);
  });

  it("decays its rate as Keras' time-based decay does", () => {
    const optimizer = sgd({ learningRate: 3, decay: 0.5 });
    expect([0, 1, 2].map((t) => learningRateAt(optimizer, t))).toEqual([3, 2, 1.5]);
  });

  it.each([
    [{ learningRate: -1 }, RangeError, 'learningRate must be >= 0, got -1'],
    [{ learningRate: Number.NaN }, RangeError, 'learningRate must be >= 0, got NaN'],
    [{ learningRate: Number.POSITIVE_INFINITY }, RangeError, 'learningRate must be >= 0, got Infinity'],
    [{ learningRate: '1' }, TypeError, "learningRate must be a number >= 0, got '1'"],
    [{ momentum: 1 }, RangeError, 'momentum must be in [0, 1), got 1'],
    [{ momentum: -0.1 }, RangeError, 'momentum must be in [0, 1), got -0.1'],
    [{ decay: -1 }, RangeError, 'decay must be >= 0, got -1'],
    [{ nesterov: 'yes' }, TypeError, "nesterov must be true or false, got 'yes'"],
    [{ lr: 1 }, TypeError, "sgd has no option 'lr'"],
  ])('refuses %o', (options, type, message) => {
    expect(() => sgd(options as SgdOptions)).toThrow(type);
    expect(() => sgd(options as SgdOptions)).toThrow(message);
  });
});
