import { type Arena, type ArenaArray, ELEMENT_BYTES } from '../common/arena.js';
import { byteView, copyBytes, copyValues } from '../common/copy.js';
import type { Column, DataSet } from '../common/protocol.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Shard } from './gradient-engine.js';

/** The rows of a shard, by their places in the epoch's order. */
type Places = Pick<Shard, 'start' | 'rows'>;

/** A column of a data set, as it stands in the arena. */
export interface OpenColumn {
  values: ArenaArray;
  /** Values in one row. */
  rowSize: number;
}

/** The columns of a data set, by the roles that they have for programs. */
export interface OpenData {
  feature: OpenColumn[];
  target: OpenColumn[];
  sampleWeight: (OpenColumn | undefined)[];
}

/** The data set that stands in the arena. */
export function openData(arena: Arena, { features, targets, sampleWeights }: DataSet): OpenData {
  const open = ({ segment, rowSize }: Column): OpenColumn => ({ values: arena.array(segment), rowSize });
  return {
    feature: features.map(open),
    target: targets.map(open),
    sampleWeight: sampleWeights.map((column) => column && open(column)),
  };
}

/** Brings the rows of shards to where programs read them. */
export class Gatherer {
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  /** Where rows are put together that go on to memory of this thread alone: kernels reach no further than the arena. */
  readonly #scratch: Uint8Array;

  constructor(arena: Arena, kernels: Kernels, rank: number) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#scratch = arena.array(`rows${rank}`) as Uint8Array;
  }

  /**
   * Copies rows of the data set into `target`, one behind the other.
   *
   * @param target values of `rows` rows, in the arena or not; of another type, they are converted.
   * @param order numbers of the rows in the epoch's order, in the arena; null if that is the order of the data set.
   */
  gather(column: OpenColumn, target: ArenaArray, { start, rows }: Places, order: Int32Array | null): void {
    const { values: source, rowSize } = column;
    if (!order) {
      copyValues(source.subarray(start * rowSize, (start + rows) * rowSize), target);
    } else if (source.constructor !== target.constructor) {
      convertRows(source, rowSize, target, order, { start, rows });
    } else {
      const orderAddress = order.byteOffset + start * ELEMENT_BYTES.int32;
      this.#gatherBytes(source, rowSize * source.BYTES_PER_ELEMENT, target, orderAddress, rows);
    }
  }

  #gatherBytes(source: ArenaArray, rowBytes: number, target: ArenaArray, orderAddress: number, rows: number): void {
    const isInArena = target.buffer === this.#arena.memory.buffer;
    const address = isInArena ? target.byteOffset : this.#scratch.byteOffset;
    this.#kernels.gatherRows(address, source.byteOffset, rowBytes, orderAddress, rows);
    if (!isInArena) copyBytes(this.#scratch.subarray(0, rows * rowBytes), byteView(target));
  }
}

/** Rows of a program on a tape, where whole numbers and booleans are floats. */
function convertRows(
  source: ArenaArray,
  rowSize: number,
  target: ArenaArray,
  order: Int32Array,
  { start, rows }: Places,
): void {
  for (let i = 0; i < rows; i++) {
    const from = (order[start + i] as number) * rowSize;
    const to = i * rowSize;
    for (let j = 0; j < rowSize; j++) target[to + j] = source[from + j] as number;
  }
}
