const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NOT_FINITE = /^[+-]?(nan|inf|infinity|na|n\/a|null|none)$/i;
export const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Whether a cell is written as a decimal number, in or out of float32's range. */
export function isNumberText(cell: string): boolean {
  return DECIMAL.test(cell);
}

/** Whether a cell says that a number is missing or infinite. */
export function isMissingText(cell: string): boolean {
  return NOT_FINITE.test(cell);
}

/**
 * The number that a cell holds, or what is wrong with it. `Number()` alone would take an empty cell for 0 and `0x10` for 16.
 */
export function readNumber(cell: string): number | { problem: string } {
  if (cell === '') return { problem: 'is empty; fill it in or leave the row out' };
  if (NOT_FINITE.test(cell)) {
    return { problem: `is '${shorten(cell)}', not a finite number; fill it in or leave the row out` };
  }
  if (!DECIMAL.test(cell)) {
    return {
      problem: `is '${shorten(cell)}', not a number; write a number such as 12 or -0.5`,
    };
  }
  const value = Number(cell);
  if (Math.abs(value) > LARGEST_FLOAT32) {
    return { problem: `is ${shorten(cell)}, more than a 32-bit float can hold; scale the column down` };
  }
  return value;
}

/** A cell as it appears in a message: never a whole page. */
export function shorten(cell: string): string {
  const line = cell.replaceAll('\n', '\\n');
  return line.length > 40 ? `${line.slice(0, 37)}...` : line;
}
