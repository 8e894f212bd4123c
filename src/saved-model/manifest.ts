import type { io } from '@tensorflow/tfjs';
import { z } from 'zod';

/**
 * The files of a saved model's folder. `model.json` is the layout of tfjs' `model.save()`, read by `tf.loadLayersModel`; it
 * is written last and names the others, whose names hold a hash of their content. So a folder is always of one piece.
 */
export const MODEL_FILE = 'model.json';

/** Names that `saveModel` gives its files, and their unfinished forms, which a killed process leaves behind. */
const OWN_FILE = /^(weights\.[0-9a-f]{16}\.bin|normalizer\.[0-9a-f]{16}\.json|model\.json)(\.\d+)?$/;

export function isOwnFile(name: string): boolean {
  return OWN_FILE.test(name);
}

/** What shardfit keeps in `model.json` beside tfjs' own entries, under `userDefinedMetadata.shardfit`. */
const shardfitEntry = z.object({
  normalizer: z.string().optional(),
  weightsSha256: z.string(),
});

const weightSpec = z.looseObject({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool', 'uint8', 'float16', 'uint16', 'string', 'complex64']),
});

const manifest = z.looseObject({
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(weightSpec) })),
  userDefinedMetadata: z.looseObject({ shardfit: shardfitEntry.optional() }).optional(),
});

export type Manifest = z.infer<typeof manifest>;
export type ShardfitEntry = z.infer<typeof shardfitEntry>;

/** The manifest in a text, or what is wrong with it. */
export function parseManifest(text: string): Manifest | { problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { problem: `is not JSON: ${(error as Error).message}` };
  }
  const parsed = manifest.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { problem: `is not the model.json of a tfjs Layers model: ${issue?.path.join('.')}: ${issue?.message}` };
}

/** Files that a manifest names. */
export function filesOf(manifest: Manifest): string[] {
  const normalizer = manifest.userDefinedMetadata?.shardfit?.normalizer;
  const weights = manifest.weightsManifest.flatMap((group) => group.paths);
  return normalizer === undefined ? weights : [...weights, normalizer];
}

export function weightSpecsOf(manifest: Manifest): io.WeightsManifestEntry[] {
  return manifest.weightsManifest.flatMap((group) => group.weights as io.WeightsManifestEntry[]);
}
