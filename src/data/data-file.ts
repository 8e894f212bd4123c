import { stat } from 'node:fs/promises';
import { DataChoiceError, DataError } from './data-error.js';

/**
 * Size of a file in bytes.
 *
 * @param kind what it should be, for the message: `a CSV file`
 * @throws DataError if it is missing, a folder, or may not be read.
 */
export async function sizeOfFile(path: string, kind: string): Promise<number> {
  const found = await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  if (found.isDirectory()) throw new DataChoiceError(`${path} is a folder, not ${kind}; name the file in it`);
  return found.size;
}

/** What the system says about a file that cannot be read, in our words. */
export function fileError(path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return new DataChoiceError(
        `${path} does not exist; check the path, or use a built-in data set: digits, diabetes, mnist`,
      );
    case 'EACCES':
      return new DataError(`${path} may not be read by this user; check its permissions`);
    case 'Z_BUF_ERROR':
      return new DataError(`${path} ends in the middle of its compressed data; copy or download it again`);
    case 'Z_DATA_ERROR':
      return new DataError(`${path} is not gzip data, or it is damaged (${message}); copy or download it again`);
    default:
      return new DataError(`${path} cannot be read: ${message}`);
  }
}
