import { didYouMean } from './nearest-name.js';
import { show } from './show.js';

/** @throws TypeError if `options` is no object, or has an option that `callee` does not know. */
export function checkNames(callee: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options of ${callee} must be an object, got ${show(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(unknownOption(callee, unknown, known));
}

/** What to say of an option that `callee` does not have. */
export function unknownOption(callee: string, name: string, known: readonly string[]): string {
  if (name === 'learningRate' && known.includes('optimizer')) {
    return `${callee} has no option 'learningRate', which is the optimizer's: optimizer: sgd({ learningRate: 0.1 })`;
  }
  return `${callee} has no option '${name}'${didYouMean(name, known) || `; it has ${known.join(', ')}`}`;
}
