import { didYouMean } from '../common/nearest-name.js';

/** @throws TypeError if `options` is no object, or has an option that `callee` does not know. */
export function checkNames(callee: string, options: object, known: string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, got ${String(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const hint = didYouMean(unknown, known) || `; it has ${known.join(', ')}`;
  throw new TypeError(`${callee} has no option '${unknown}'${hint}`);
}
