import { EXIT } from './exit-code.js';

/** Ctrl-C and `kill`, turned into an AbortSignal: training ends at a whole update, files are whole, threads are ended cleanly. */
export interface Interruption extends Disposable {
  signal: AbortSignal;
  /** What the program should exit with; undefined while no signal came. */
  readonly exitCode: number | undefined;
  /** Stops as if a signal had come. */
  stop(exitCode: number): void;
}

/** @param say writes a line for the person who pressed Ctrl-C. */
export function listenForInterruption(say: (line: string) => void): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) return say('Still stopping: the threads are finishing the step they are in.');
    exitCode = name === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    say('Stopping after the step that is running ...');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    stop(code) {
      exitCode ??= code;
      controller.abort();
    },
    [Symbol.dispose]() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
