import type { Arena } from '../common/arena.js';
import type { DataSet, Pass } from '../common/protocol.js';
import type { BatchReader } from './batch-reader.js';
import type { MatchedData } from './match-data.js';
import type { RowSource } from './row-source.js';
import { putRows, type Room } from './training-arena.js';

/** Bytes of rows that are trained on at a time, while as many are read. */
const WINDOW_BYTES = 2 ** 24;
/** Mini-batches of a window: more bring nothing. */
const MOST_BATCHES = 64;

/** Batches of a window: one at least, however large. */
export function batchesInWindow(first: MatchedData): number {
  const columns = [...first.features, ...first.targets];
  const bytes = columns.reduce((sum, { data }) => sum + data.byteLength, 0);
  return Math.max(1, Math.min(MOST_BATCHES, Math.floor(WINDOW_BYTES / bytes)));
}

/** The two windows of a data set: one is trained on, the other filled. */
export function windowRooms(name: string, first: MatchedData, batches: number): Room[] {
  const rows = batches * first.rows;
  return [0, 1].map((index) => ({ name: `${name}${index}`, like: first, rows }));
}

/** Rows that stream through two windows in the arena. Reading goes on while the workers are busy with the other window. */
export class StreamedRows implements RowSource {
  readonly rows = undefined;
  readonly steps: number | undefined;
  /** Whether the data set ended before the batches of an epoch were full. */
  exhausted = false;
  readonly #reader: BatchReader;
  readonly #arena: Arena;
  readonly #windows: DataSet[];
  readonly #restarts: boolean;
  #epochs = 0;
  #failure: { error: unknown } | undefined;

  /**
   * @param windows where `windowRooms` are in the arena.
   * @param batches mini-batches that end an epoch, if not all of the data set.
   * @param restarts whether each epoch begins with the first batch of the data set.
   */
  constructor(reader: BatchReader, arena: Arena, windows: DataSet[], batches: number | undefined, restarts: boolean) {
    this.#reader = reader;
    this.#arena = arena;
    this.#windows = windows;
    this.steps = batches;
    this.#restarts = restarts;
  }

  get batchSize(): number {
    return this.#reader.mostRows;
  }

  async *epoch(): AsyncGenerator<Pass> {
    // The first batch has been read already, to see what it is like.
    if (this.#epochs++ > 0 && this.#restarts) this.#reader.restart();
    const state = { left: this.steps ?? Number.POSITIVE_INFINITY, ended: false };
    let loading = this.#load(0, state);
    try {
      for (let turn = 1; ; turn++) {
        const pass = await loading;
        if (!pass) break;
        loading = this.#load(turn % 2, state);
        // Taken up when this window is done with.
        loading.catch(() => {});
        yield pass;
      }
      this.exhausted = this.#restarts ? false : state.left > 0;
    } finally {
      state.ended = true;
    }
  }

  /** Fills a window with batches of one size, the last of which may be smaller. */
  async #load(index: number, state: { left: number; ended: boolean }): Promise<Pass | undefined> {
    const { rows: room, ...window } = this.#windows[index] as DataSet;
    let [rows, steps, batchSize] = [0, 0, 0];
    if (this.#failure) throw this.#failure.error;
    // Small batches leave room for more of them than there is for logs.
    const most = room / this.#reader.mostRows;
    while (state.left > 0 && rows < room && steps < most) {
      const batch = await this.#reader.next().catch((error: unknown) => {
        if (steps === 0) throw error;
        // What was read before is trained on first.
        this.#failure = { error };
      });
      // Nobody waits for it any more, and the memory may be another's by now.
      if (state.ended || !batch) break;
      if (steps === 0) batchSize = batch.rows;
      if (batch.rows > batchSize || rows + batch.rows > room) {
        this.#reader.hold(batch);
        break;
      }
      putRows(this.#arena, { rows: room, ...window }, batch, rows);
      rows += batch.rows;
      steps++;
      state.left--;
      if (batch.rows < batchSize) break;
    }
    return steps === 0 ? undefined : { data: { rows, ...window }, batchSize, steps };
  }
}
