/** Something about the data that its owner can put right: the message says where, what was found, and what to do. */
export class DataError extends Error {
  override name = 'DataError';
}
