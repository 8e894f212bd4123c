/** What a page is made of: figures of one or more charts, each with a caption, and the same numbers as a table. */
import type { EChartsOption } from 'echarts';

/** One chart. `option` is plain data: the page adds fonts and the colours of its theme. */
export interface Panel {
  title: string;
  option: EChartsOption;
  /** Height in pixels. */
  height: number;
}

/** How a line is drawn, for the legend above the panels. */
export interface LegendEntry {
  name: string;
  /** A name of the palette. */
  colour: string;
  /** Lengths of dashes and gaps in pixels; none for a whole line. */
  dashes: number[];
  symbol: Mark;
}

export type Mark = 'circle' | 'triangle' | 'rect' | 'diamond';

export interface Table {
  header: string[];
  /** The first cell names the row. */
  rows: string[][];
}

export interface Figure {
  title: string;
  /** In plain words: what is drawn, and what to look at. */
  caption: string;
  legend?: LegendEntry[];
  panels: Panel[];
  table: Table;
}

export interface Page {
  title: string;
  /** Paragraphs above the figures. */
  lead: string[];
  /** Short facts: what was run, and where. */
  facts: [name: string, value: string][];
  /** What the figures come to, one sentence each. */
  findings: string[];
  figures: Figure[];
}
