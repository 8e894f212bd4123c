import type { LegendEntry, Mark } from '../page/figure.js';
import { type ColourName, colour } from '../page/palette.js';
import type { Series, StudyResults } from '../results.js';

const SYMBOLS: Record<Series['rule'], Mark> = {
  sync: 'circle',
  'per-shard': 'triangle',
  hogwild: 'rect',
  local: 'diamond',
};

/** Whole lines for the first crew, dashes for the others. */
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4]];

/** How the lines of a study look: the rule sets colour and symbol, the crew the dashes. */
export class Look {
  readonly #crews: string[];

  constructor({ series }: StudyResults) {
    // Crews of several workers first: there the rules differ.
    const crews = series.map(({ crew }) => crew).sort((a, b) => Number(a.count === 1) - Number(b.count === 1));
    this.#crews = [...new Set(crews.map(({ kind, count }) => `${kind} ${count}`))];
  }

  colour({ rule }: Series): string {
    return colour(rule);
  }

  symbol({ rule }: Series): Mark {
    return SYMBOLS[rule];
  }

  dashes({ crew }: Series): number[] {
    return DASHES[this.#crews.indexOf(`${crew.kind} ${crew.count}`) % DASHES.length] as number[];
  }

  legend(series: Series[]): LegendEntry[] {
    return series.map((entry) => ({
      name: entry.name,
      colour: entry.rule satisfies ColourName,
      dashes: this.dashes(entry),
      symbol: this.symbol(entry),
    }));
  }
}
