import { z } from 'zod';
import type { Normalizer } from '../data/normalizer.js';
import type { Table, Task } from '../data/table.js';

/** What stands between a row of a table and the model: kept beside the model, as `normalizer.<hash>.json`. */
export interface Preprocessing {
  /** Feature columns with the statistics of the training rows. */
  normalizer: Normalizer;
  /** What the model predicts; `classes[k]` is the label of output k. */
  target: { name: string; kind: Task; classes?: string[] | undefined };
  /** Name of the loss that the model was trained with, for `shardfit evaluate`. */
  loss?: string | undefined;
}

const FORMAT = 'shardfit-normalizer';
const numbers = z.array(z.number());

const file = z
  .object({
    format: z.literal(FORMAT),
    version: z.literal(1),
    columns: z.array(z.string()),
    mean: numbers,
    scale: numbers,
    target: z.object({
      name: z.string(),
      kind: z.enum(['class', 'number']),
      classes: z.array(z.string()).optional(),
    }),
    loss: z.string().optional(),
  })
  .refine(({ columns, mean, scale }) => columns.length === mean.length && columns.length === scale.length, {
    error: 'columns, mean and scale differ in length',
  });

export function preprocessingOf(normalizer: Normalizer, target: Table['target'], loss: string): Preprocessing {
  const classes = target.kind === 'class' ? target.classes : undefined;
  return { normalizer, target: { name: target.name, kind: target.kind, classes }, loss };
}

/** @throws TypeError for what `parsePreprocessing` would not read. */
export function writePreprocessing(preprocessing: Preprocessing): string {
  const { normalizer, target, loss } = Object(preprocessing) as Preprocessing;
  const content = { format: FORMAT, version: 1, ...normalizer, target, loss };
  const { error } = file.safeParse(content);
  if (!error) return `${JSON.stringify(content)}\n`;
  const [issue] = error.issues;
  throw new TypeError(
    'preprocessing must be { normalizer: { columns, mean, scale }, target: { name, kind, classes } }, with an entry of mean and ' +
      `scale for each column, got one with ${issue?.path.length ? `${issue.path.join('.')}: ` : ''}${issue?.message}`,
  );
}

/** The preprocessing in a text, or what is wrong with it. */
export function parsePreprocessing(text: string): Preprocessing | { problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { problem: `is not JSON: ${(error as Error).message}` };
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { problem: `is not a normalizer: ${issue?.path.join('.')}: ${issue?.message}` };
  }
  const { columns, mean, scale, target, loss } = parsed.data;
  return { normalizer: { columns, mean, scale }, target, ...(loss !== undefined && { loss }) };
}
