/** The findings as a table in Markdown, one row a layer. */
import type { Finding } from './check-case.js';
import { groupBy } from './layer-case.js';

interface Row {
  layer: string;
  cases: number;
  traced: string;
  step: string;
  fit: string;
  notes: string;
}

export function layerTable(findings: readonly Finding[]): string {
  const rows = groupBy(findings, ({ layerCase }) => layerCase.factory)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([factory, found]) => rowOf(factory, found));
  const head = ['layer', 'cases', 'compiled', 'one step', 'five updates', 'notes'];
  const lines = rows.map(({ layer, cases, traced, step, fit, notes }) => [layer, cases, traced, step, fit, notes]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function rowOf(factory: string, found: readonly Finding[]): Row {
  const refused = found.filter(({ refusal }) => refusal !== undefined);
  const traced = found.length - refused.length;
  return {
    layer: `\`${factory}\``,
    cases: found.length,
    traced: traced === found.length ? 'yes' : traced === 0 ? 'no' : `${traced} of ${found.length}`,
    step: largest(found.map(({ step }) => step)),
    fit: largest(found.map(({ fit }) => fit)),
    notes: notesOf(found, refused),
  };
}

/** Orders of magnitude only: the digits differ from machine to machine. */
function largest(errors: (number | undefined)[]): string {
  const known = errors.filter((error) => error !== undefined);
  if (known.length === 0) return '';
  const worst = Math.max(...known);
  return `< 1e${Math.max(-6, Math.floor(Math.log10(Math.max(worst, 1e-9))) + 1)}`;
}

function notesOf(found: readonly Finding[], refused: readonly Finding[]): string {
  const references = found.flatMap(({ layerCase: { numerical, equivalent, options } }) => {
    if (numerical) return [[`by derivatives: ${numerical}`, options]];
    return equivalent ? [[`by an equivalent model: ${equivalent.why}`, options]] : [];
  }) as [string, string][];
  const refusals = refused.map(({ layerCase }) => [layerCase.because ?? 'not compiled', layerCase.options]) as [
    string,
    string,
  ][];
  const grouped = groupBy([...references, ...refusals], ([why]) => why);
  return grouped
    .map(([why, list]) => (list.length === found.length ? why : `${why} (${list.map(([, o]) => o).join('; ')})`))
    .join('. ');
}
