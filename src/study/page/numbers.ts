/** Numbers for people, in few digits. */

/** `1,617`, `0.0412`, `12.3`; a dash for what is not a number. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  const whole = Math.abs(value) >= 10 ** digits;
  return whole ? grouped(value) : String(Number(value.toPrecision(digits)));
}

/** `12,345`. */
export function grouped(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}

/** For charts: no more digits than anyone reads; null for what is not a number. */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
}
