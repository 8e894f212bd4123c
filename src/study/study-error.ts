/** Something about a study's folder that its owner can put right: the message says what was found, and what to do. */
export class StudyError extends Error {
  override name = 'StudyError';
}
