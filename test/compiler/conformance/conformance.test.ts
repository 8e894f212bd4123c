/** Every layer class of tfjs, with each option that changes what it computes, against tfjs itself. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cases } from './cases/index.js';
import { checkCase, type Finding, tolerance, trainedCases } from './check-case.js';
import { type Factory, groupBy } from './layer-case.js';
import { layerTable } from './table.js';

/** Other names of the same layer. */
const ALIASES: Record<string, Factory> = {
  avgPool1d: 'averagePooling1d',
  avgPool2d: 'averagePooling2d',
  avgPool3d: 'averagePooling3d',
  avgPooling1d: 'averagePooling1d',
  avgPooling2d: 'averagePooling2d',
  avgPooling3d: 'averagePooling3d',
  globalMaxPool1d: 'globalMaxPooling1d',
  globalMaxPool2d: 'globalMaxPooling2d',
  input: 'inputLayer',
  maxPool1d: 'maxPooling1d',
  maxPool2d: 'maxPooling2d',
};

/** Base classes, which make no layer by themselves. */
const BASES = ['Layer', 'RNN', 'RNNCell'];

const findings: Finding[] = [];

beforeAll(async () => {
  await tf.setBackend('cpu');
  // tfjs says of some options that it ignores them.
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterAll(() => {
  vi.restoreAllMocks();
  console.log(layerTable(findings));
});

describe('the suite', () => {
  it('leaves no layer class of tfjs out', () => {
    const covered = new Set<string>([...cases.map(({ factory }) => factory), ...Object.keys(ALIASES), ...BASES]);
    expect(Object.keys(tf.layers).filter((name) => !covered.has(name))).toEqual([]);
  });

  it('knows which names mean the same layer', () => {
    const make = (name: string) => (tf.layers as unknown as Record<string, (options: object) => tf.layers.Layer>)[name];
    for (const [alias, name] of Object.entries(ALIASES)) {
      if (alias === 'input') continue;
      expect(make(alias)?.({ poolSize: 2 }).getClassName(), alias).toBe(make(name)?.({ poolSize: 2 }).getClassName());
    }
  });
});

const trained = trainedCases(cases);

describe.each(groupBy(cases, ({ factory }) => factory))('%s', (_, ofLayer) => {
  it.each(ofLayer.map((layerCase) => [layerCase.options, layerCase] as const))('%s', async (_, layerCase) => {
    const finding = await checkCase(layerCase, trained.has(layerCase));
    findings.push(finding);
    expect(finding.step ?? 0, 'one step').toBeLessThan(tolerance(layerCase));
    expect(finding.fit ?? 0, 'five updates').toBeLessThan(tolerance(layerCase));
  });
});
