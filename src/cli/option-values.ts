import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../common/nearest-name.js';

/** Readers of option values. Each throws commander's error, which names the option and its value. */

/** A whole number of at least `least`, e.g. `readWhole(1)('8')`. */
export function readWhole(least: number): (text: string) => number {
  return (text) => {
    const value = toNumber(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
  };
}

/** A number that `accept` takes; `range` says which those are, e.g. `in [0, 1)`. */
export function readReal(range: string, accept: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = toNumber(text);
    if (Number.isFinite(value) && accept(value)) return value;
    throw new InvalidArgumentError(`It must be a number ${range}.`);
  };
}

/** A whole number of at least 1, or the word `word`. */
export function readWholeOr<Word extends string>(word: Word): (text: string) => number | Word {
  return (text) => {
    if (text === word) return word;
    const value = toNumber(text);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new InvalidArgumentError(`It must be a whole number of at least 1, or '${word}'.`);
  };
}

/** Whole numbers of at least 1, separated by commas: `128,64`; `none` for none at all. */
export function readHidden(text: string): number[] {
  if (text === 'none') return [];
  const sizes = text.split(',').map((part) => toNumber(part.trim()));
  if (sizes.every((size) => Number.isSafeInteger(size) && size >= 1)) return sizes;
  throw new InvalidArgumentError(
    'It must be whole numbers of at least 1, separated by commas, such as 128,64, or none.',
  );
}

/** Values separated by commas, each as `read` takes it: `0.1,0.3`. */
export function readList<Value>(read: (text: string) => Value): (text: string) => Value[] {
  return (text) => text.split(',').map((part) => read(part.trim()));
}

/** One of `names`, or of `aliases` for them, which are in small letters. */
export function readName<Name extends string>(
  names: readonly Name[],
  aliases: Readonly<Record<string, Name>> = {},
): (text: string) => Name {
  return (text) => {
    const found = names.find((name) => name === text) ?? new Map(Object.entries(aliases)).get(text.toLowerCase());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be one of ${names.join(', ')}${didYouMean(text, names)}`);
  };
}

/** NaN for what is not written as a decimal number: `Number('')` is 0. */
function toNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
