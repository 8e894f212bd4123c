/** A step that cannot be recorded, though tfjs may compute it. */
export class NotTraceable extends Error {
  override name = 'NotTraceable';
  /** The reason alone, and what would make it traceable. */
  readonly reason: string;
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(`${reason}; ${remedy}, or train it with engine: 'tfjs'`);
    this.reason = reason;
    this.remedy = remedy;
  }
}
