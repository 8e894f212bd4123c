import { sha256 } from '../saved-model/weight-bytes.js';

/** Initializers of tfjs that draw random numbers. */
const RANDOM = new Set([
  'GlorotNormal',
  'GlorotUniform',
  'HeNormal',
  'HeUniform',
  'LeCunNormal',
  'LeCunUniform',
  'Orthogonal',
  'RandomNormal',
  'RandomUniform',
  'TruncatedNormal',
  'VarianceScaling',
]);

/** A seed of its own for each place that draws initial weights. Never 0, which tfjs takes for "none given". */
export function seedFor(seed: number, place: string): number {
  return Number.parseInt(sha256(`${seed} ${place}`).slice(0, 8), 16) + 1;
}

/**
 * A copy of a model's configuration in which every initializer that draws random numbers has a seed: those that have none
 * get one, made of `seed` and their place, so that the model starts from the same weights every time.
 */
export function seedInitializers(config: unknown, seed: number, place = ''): unknown {
  if (Array.isArray(config)) return config.map((entry, index) => seedInitializers(entry, seed, `${place}/${index}`));
  if (typeof config !== 'object' || config === null) return config;
  const entries = Object.entries(config).map(([key, value]) => [key, seedInitializers(value, seed, `${place}/${key}`)]);
  const copy = Object.fromEntries(entries);
  if (!RANDOM.has(copy.class_name)) return copy;
  return { ...copy, config: { ...copy.config, seed: copy.config?.seed ?? seedFor(seed, place) } };
}
