/** What a peer is asked on its standard input, and what it answers, one JSON object a line. All times are in milliseconds. */

/** Train from the initial weights. */
export type Request =
  /** The first updates, until `limit` is over, with the loss of each. */
  | { check: number; limit: number }
  /** `run` updates, as fast as it goes. */
  | { run: number };

export interface Checked {
  losses: number[];
  /** What each update took. */
  milliseconds: number[];
  /** From the call of fit to the end of the first update, in a process that has trained nothing yet. */
  first: number;
}

export interface Measured {
  updates: number;
  /** Of all updates together: what comes before the first and behind the last is left out. */
  training: number;
  /** From the call of fit to the end of the first update. */
  first: number;
}

/** The peer cannot do it, and why. */
export interface Failed {
  error: string;
}

/** What a peer writes when it is ready for the first request: its version. */
export interface Ready {
  ready: string;
}
