/** Something about the data that its owner can put right: the message says where, what was found, and what to do. */
export class DataError extends Error {
  override name = 'DataError';
}

/** What was asked for is not there, whatever the data holds: a data set, a file or a column of another name. */
export class DataChoiceError extends DataError {
  override name = 'DataChoiceError';
}
