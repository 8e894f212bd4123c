import { LINE } from './parameters.js';
import type { Exchange, StepProgram } from './program.js';
import { sizeOf } from './shapes.js';

/** Where the part of a total stands in a shard's slot, and the total in the totals: first value and number of values. */
export interface ExchangePlace {
  exchange: Exchange;
  offset: number;
  size: number;
}

/** Places the exchanges of a program one behind the other, each on cache lines of its own. */
export function placeExchanges({ exchanges }: StepProgram): ExchangePlace[] {
  let end = 0;
  return exchanges.map((exchange) => {
    const size = sizeOf(exchange.shape);
    const place = { exchange, offset: end, size };
    end += Math.ceil(size / LINE) * LINE;
    return place;
  });
}

/** Values of a slot that any of the programs fits into. */
export function slotLength(programs: readonly StepProgram[]): number {
  const ends = programs.map((program) => {
    const last = placeExchanges(program).at(-1);
    return last ? Math.ceil((last.offset + last.size) / LINE) * LINE : 0;
  });
  return Math.max(0, ...ends);
}
