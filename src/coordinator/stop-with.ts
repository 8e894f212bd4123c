import type { Control } from '../common/control.js';

/**
 * Has a signal ask the workers to stop after the mini-batch they are at, until it is disposed of.
 *
 * @throws the signal's reason if it has come already.
 */
export function stopWith(signal: AbortSignal | undefined, control: Control): Disposable {
  signal?.throwIfAborted();
  const stop = () => control.requestStop();
  signal?.addEventListener('abort', stop);
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', stop) };
}
