import { PALETTES } from './palette.js';

const variables = (theme: 'light' | 'dark') =>
  Object.entries(PALETTES[theme])
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ');

/** The style sheet of the pages. */
export const STYLE = `
:root { color-scheme: light dark; ${variables('light')} }
@media (prefers-color-scheme: dark) { :root { ${variables('dark')} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 12px; }
h2 { font-size: 1.2rem; margin: 0 0 4px; }
h3 { font-size: 0.95rem; margin: 0 0 4px; }
p, ul { margin: 0 0 12px; max-width: 76ch; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 16px 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 40px 0 0; padding: 20px 0 0; border-top: 1px solid var(--grid); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 16px; align-items: start; }
.panel { background: var(--panel); border-radius: 8px; padding: 12px 8px 4px; min-width: 0; }
.panel h3 { padding: 0 8px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; max-width: none; font-size: 0.9rem; }
.legend svg { vertical-align: middle; margin-right: 6px; }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--muted); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; margin-top: 8px; }
th, td { padding: 3px 12px 3px 0; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; white-space: normal; min-width: 5em; }
tbody th { font-weight: normal; }
@media (max-width: 480px) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; } }
`;
