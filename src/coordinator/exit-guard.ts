/**
 * When the process exits, Node ends its threads where they stand, and a thread ended inside ONNX Runtime aborts the process
 * (exit code 134). So whoever calls `process.exit()` while threads train waits until none of them is in there.
 */
import type { Control } from '../common/control.js';

/** More than one step of a shard takes; a process must not hang in its exit. */
const PATIENCE_MILLISECONDS = 10_000;

const guarded = new Set<Control>();

function holdAll(): void {
  for (const control of guarded) control.holdNativeCalls(PATIENCE_MILLISECONDS);
}

/** Keeps an exit of the process away from the native calls of the workers under `control`, until disposed of. */
export function guardExit(control: Control): Disposable {
  if (guarded.size === 0) process.on('exit', holdAll);
  guarded.add(control);
  return {
    [Symbol.dispose]() {
      guarded.delete(control);
      if (guarded.size === 0) process.off('exit', holdAll);
    },
  };
}
