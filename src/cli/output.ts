/** The two streams of the program. Lines for people or machines go to `out`, messages about trouble to `error`. */
export interface Output {
  /** Writes a line to stdout. */
  line(text: string): void;
  /** Writes a line to stderr. */
  error(text: string): void;
  /** Whether stdout is a terminal, on which a line can be drawn again. */
  terminal: boolean;
  /** Called once when the reader of stdout has gone, as in `shardfit ... | head -1`. Nothing is written from then on. */
  onClosed: () => void;
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
    if (error.code !== 'EPIPE') throw error;
    if (closed) return;
    closed = true;
    output.onClosed();
  });
  // Nobody reads the messages: they are not worth ending the program for.
  process.stderr.on('error', () => {});
  return output;
}
