/** The command line itself is wrong: ends the program with exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
