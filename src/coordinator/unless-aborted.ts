/** Milliseconds that a callback still has after the signal, to finish what it is at: fit ends within a second of it. */
const GRACE = 500;

/**
 * What the code of a user comes to, such as a callback. A signal ends the wait for it, `grace` milliseconds later: the code may
 * never come to an end.
 *
 * @throws the signal's reason, or what `work` throws.
 */
export async function unlessAborted<T>(
  work: () => T | Promise<T>,
  signal: AbortSignal | undefined,
  grace = GRACE,
): Promise<T> {
  const result = work();
  if (!signal || !(result instanceof Promise)) return result;
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), grace);
    };
  });
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}
