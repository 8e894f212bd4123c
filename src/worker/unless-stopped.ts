import type { Control } from '../common/control.js';

/** Milliseconds between two looks at the control words. */
const INTERVAL = 50;
/** Looks that `work` still has when another worker has failed, to fail of its own: the first rank that does is named. */
const LAST_LOOKS = 20;

/**
 * What the code of a user comes to in a worker; undefined once a stop is requested, since it may never come to an end.
 *
 * @param late is given what comes after that.
 * @throws AbortedError a second after another worker has failed; what `work` throws.
 */
export async function unlessStopped<T>(
  work: Promise<T>,
  control: Control,
  late: (result: T) => void,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  let waiting = true;
  const stopped = new Promise<undefined>((resolve, reject) => {
    let looks = LAST_LOOKS;
    timer = setInterval(() => {
      if (control.stopRequested) resolve(undefined);
      try {
        control.throwIfAborted();
      } catch (error) {
        if (looks-- === 0) reject(error);
      }
    }, INTERVAL);
  });
  const own = work.then((result) => {
    if (!waiting) late(result);
    return result;
  });
  try {
    return await Promise.race([own, stopped]);
  } finally {
    waiting = false;
    clearInterval(timer);
  }
}
