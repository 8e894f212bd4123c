/** A saved model cannot be read or written: the message says which file, what was found, and what to do. */
export class SavedModelError extends Error {
  override name = 'SavedModelError';
}
