import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Figure, LegendEntry, Mark, Page, Panel, Table } from './figure.js';
import { PALETTES } from './palette.js';
import { STYLE } from './style.js';

/** A page as one file: style, data, charts and the chart library are in it, and nothing is fetched. */
export function renderPage({ title, lead, facts, findings, figures }: Page): string {
  const panels = figures.flatMap((figure) => figure.panels);
  const data = { palettes: PALETTES, options: panels.map(({ option }) => option) };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${lead.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')}
<dl>${facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
<h2>What came out</h2>
<ul>${findings.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>
${figures.map(figureHtml).join('\n')}
</main>
<script type="application/json" id="page-data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${chartLibrary()}</script>
<script type="module">${readFileSync(new URL('page-script.js', import.meta.url), 'utf8').replace(/^\/\/# source.*$/m, '')}</script>
</body>
</html>
`;
}

/** The text of Apache ECharts, which no tag in it may end early. */
function chartLibrary(): string {
  const path = createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js');
  return readFileSync(path, 'utf8').replaceAll('</script', '<\\/script');
}

function figureHtml({ title, caption, legend, panels, table }: Figure): string {
  return `<figure>
<h2>${escapeHtml(title)}</h2>
<figcaption><p>${escapeHtml(caption)}</p></figcaption>
${legend ? `<ul class="legend">${legend.map(legendHtml).join('')}</ul>` : ''}
<div class="panels">${panels.map((panel) => panelHtml(panel, title)).join('')}</div>
<details><summary>The same numbers as a table</summary>${tableHtml(table)}</details>
</figure>`;
}

function panelHtml({ title, height }: Panel, figure: string): string {
  const label = escapeHtml(`Chart: ${figure}, ${title}. The table below holds its numbers.`);
  return `<div class="panel"><h3>${escapeHtml(title)}</h3><div data-chart role="img" aria-label="${label}" style="height:${height}px"></div></div>`;
}

function legendHtml({ name, colour, dashes, symbol }: LegendEntry): string {
  const stroke = `stroke="var(--${colour})" stroke-width="2" stroke-dasharray="${dashes.join(' ')}"`;
  const mark = `<path d="${SYMBOL_PATHS[symbol]}" fill="var(--${colour})"/>`;
  return `<li><svg width="40" height="14" aria-hidden="true"><path d="M0 7H40" ${stroke}/>${mark}</svg>${escapeHtml(name)}</li>`;
}

/** Around (20, 7). */
const SYMBOL_PATHS: Record<Mark, string> = {
  circle: 'M16 7a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z',
  triangle: 'M20 2.5L25 11H15z',
  rect: 'M16 3h8v8h-8z',
  diamond: 'M20 2L25 7L20 12L15 7z',
};

function tableHtml({ header, rows }: Table): string {
  const head = header.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map(([name = '', ...cells]) => {
    const rest = cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('');
    return `<tr><th scope="row">${escapeHtml(name)}</th>${rest}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
