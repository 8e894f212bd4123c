const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 12345 as `12,345`. */
export function count(value: number): string {
  return GROUPED.format(value);
}

/** `1 thread`, `2 threads`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Seconds for people: `0.42 s`, `12.3 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A loss or metric in few digits, wide ones without decimals: `0.0412`, `2914`. */
export function metric(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e7) return value.toFixed(0);
  return size >= 1e7 || (size > 0 && size < 1e-3) ? value.toExponential(2) : value.toPrecision(4);
}

/** `loss 0.31  acc 0.95`. */
export function metrics(logs: Record<string, number>): string {
  return Object.entries(logs)
    .map(([name, value]) => `${name} ${metric(value)}`)
    .join('  ');
}
