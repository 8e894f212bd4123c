/**
 * Runs in the page: draws every chart in the colours of the reader's theme, again when that changes, and to the width that
 * there is. It has no imports: its text is put into the page as it is.
 */
{
  interface Chart {
    resize(): void;
    dispose(): void;
    setOption(option: unknown): void;
  }
  interface ChartLibrary {
    init(element: Element, theme: unknown, options: { renderer: 'svg' }): Chart;
  }
  interface PageData {
    palettes: Record<'light' | 'dark', Record<string, string>>;
    options: unknown[];
  }

  const { echarts } = window as unknown as { echarts: ChartLibrary };
  const { palettes, options } = JSON.parse(document.getElementById('page-data')?.textContent ?? '') as PageData;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  let charts: Chart[] = [];

  const coloured = (value: unknown, palette: Record<string, string>): unknown => {
    if (typeof value === 'string') return value.startsWith('@') ? (palette[value.slice(1)] ?? value) : value;
    if (Array.isArray(value)) return value.map((entry) => coloured(entry, palette));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, coloured(entry, palette)]));
  };

  const draw = () => {
    for (const chart of charts) chart.dispose();
    const palette = palettes[dark.matches ? 'dark' : 'light'];
    charts = [...document.querySelectorAll('[data-chart]')].map((element, index) => {
      const chart = echarts.init(element, null, { renderer: 'svg' });
      chart.setOption(coloured(options[index], palette));
      return chart;
    });
  };

  dark.addEventListener('change', draw);
  new ResizeObserver(() => {
    for (const chart of charts) chart.resize();
  }).observe(document.body);
  draw();
}
