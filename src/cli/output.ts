/** The two streams of the program. Lines for people or machines go to `out`, messages about trouble to `error`. */
export interface Output {
  /** Writes a line to stdout. */
  line(text: string): void;
  /** Writes a line to stderr. */
  error(text: string): void;
  /** Whether stdout is a terminal, on which a line can be drawn again. */
  terminal: boolean;
  /**
   * Called once when stdout takes no more, and nothing is written to it from then on: its reader has gone, as in
   * `shardfit ... | head -1`, or, with what is wrong, it cannot be written, as on a full disk.
   */
  onClosed: (problem?: string) => void;
}

export function openOutput(): Output {
  let closed = false;
  const output: Output = {
    line: (text) => {
      if (!closed) process.stdout.write(`${text}\n`);
    },
    error: (text) => {
      process.stderr.write(`${text}\n`);
    },
    terminal: process.stdout.isTTY === true,
    onClosed: () => {},
  };
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (closed) return;
    closed = true;
    if (error.code === 'EPIPE') output.onClosed();
    else output.onClosed(error.code === 'ENOSPC' ? 'its disk is full' : error.message);
  });
  // Nobody reads the messages: they are not worth ending the program for.
  process.stderr.on('error', () => {});
  return output;
}
