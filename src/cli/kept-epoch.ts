import { Monitor } from '../callbacks/monitor.js';
import type { EpochResult } from './report/report.js';

/**
 * The epoch whose weights a model has after training.
 *
 * @param monitor name of the log whose best epoch `earlyStopping` has restored, if it was asked to: the same rule as there.
 */
export function keptEpoch(results: readonly EpochResult[], monitor: string | undefined): EpochResult | undefined {
  const watch = monitor === undefined ? undefined : new Monitor('earlyStopping', { monitor });
  const best = watch && results.filter(({ logs }) => watch.isBest(logs)).at(-1);
  return best ?? results.at(-1);
}
