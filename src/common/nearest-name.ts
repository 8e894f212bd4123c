import { closest, distance } from 'fastest-levenshtein';

/** The one of `names` that a misspelt `name` was probably meant to be, if any is near enough. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const wanted = name.toLowerCase();
  const lowered = names.map((candidate) => candidate.toLowerCase());
  const best = closest(wanted, lowered);
  // More than half of the letters wrong is another word, not a slip of the keyboard.
  if (distance(wanted, best) > Math.max(1, Math.floor(best.length / 2))) return undefined;
  return names[lowered.indexOf(best)];
}

/** `; did you mean 'x'?` or nothing, to be put at the end of a message. */
export function didYouMean(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? '' : `; did you mean '${nearest}'?`;
}
