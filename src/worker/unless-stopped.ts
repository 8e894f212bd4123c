import type { Control } from '../common/control.js';

/** Milliseconds between two looks at the control words. */
const INTERVAL = 50;

/**
 * What the code of a user comes to in a worker; undefined once a stop is requested, since it may never come to an end.
 *
 * @param late is given what comes after that.
 * @throws AbortedError once another worker has failed; what `work` throws.
 */
export async function unlessStopped<T>(
  work: Promise<T>,
  control: Control,
  late: (result: T) => void,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  let waiting = true;
  const stopped = new Promise<undefined>((resolve, reject) => {
    timer = setInterval(() => {
      try {
        control.throwIfAborted();
        if (control.stopRequested) resolve(undefined);
      } catch (error) {
        reject(error);
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
