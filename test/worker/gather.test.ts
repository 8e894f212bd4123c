import { describe, expect, it } from 'vitest';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import type { DType } from '#shardfit/common/program.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import { Gatherer } from '#shardfit/worker/gather.js';

const ROWS = 7;
const ORDER = [6, 0, 3, 3, 5, 1, 2];

/** A data set of one column that holds 0, 1, 2, ... (booleans: modulo 251, so that rows differ; they are copied as bytes), and what gathers its rows. */
function column(dtype: DType, rowSize: number) {
  const layout = new LayoutBuilder(FIRST_FREE_BYTE)
    .add('rows0', 'bool', ROWS * rowSize * 4)
    .add('x', dtype, ROWS * rowSize)
    .add('own', dtype, ROWS * rowSize)
    .add('order', 'int32', ROWS)
    .build();
  const initial = Math.ceil(layout.bytes / 65_536);
  const memory = new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true });
  const arena = new Arena(memory, layout);
  arena.array('x').set(Array.from({ length: ROWS * rowSize }, (_, i) => (dtype === 'bool' ? i % 251 : i)));
  arena.ints('order').set(ORDER);
  return {
    arena,
    gatherer: new Gatherer(arena, loadKernels(memory), 0),
    column: { values: arena.array('x'), rowSize },
  };
}

/** Rows 2, 3 and 4 of the order. */
function expected(dtype: DType, rowSize: number, order = ORDER): number[] {
  return order.slice(2, 5).flatMap((row) => {
    return Array.from({ length: rowSize }, (_, j) =>
      dtype === 'bool' ? (row * rowSize + j) % 251 : row * rowSize + j,
    );
  });
}

const SHARD = { start: 2, rows: 3 };

const IN_ORDER = Array.from({ length: ROWS }, (_, row) => row);

describe.each<DType>(['float32', 'int32', 'bool'])('rows of %s', (dtype) => {
  describe.each([1, 3, 4, 5, 63, 64, 65, 257, 300])('of %i elements', (rowSize) => {
    it.each([
      ['an epoch', true],
      ['the data set', false],
    ])('are gathered in the order of %s, in the arena and elsewhere', (_, shuffled) => {
      const { arena, gatherer, column: rows } = column(dtype, rowSize);
      const own = arena.array('own').subarray(0, 3 * rowSize);
      const TypedArray = own.constructor as new (length: number) => typeof own;
      for (const target of [new TypedArray(3 * rowSize), own]) {
        gatherer.gather(rows, target, SHARD, shuffled ? arena.ints('order') : null);
        expect([...target]).toEqual(expected(dtype, rowSize, shuffled ? ORDER : IN_ORDER));
      }
      expect(arena.array('own')[3 * rowSize]).toBe(0);
    });

    it('are floats where a tape reads them', () => {
      const { arena, gatherer, column: rows } = column(dtype, rowSize);
      const floats = new Float32Array(3 * rowSize);
      gatherer.gather(rows, floats, SHARD, arena.ints('order'));
      expect([...floats]).toEqual(expected(dtype, rowSize));
      gatherer.gather(rows, floats, SHARD, null);
      expect([...floats]).toEqual(expected(dtype, rowSize, IN_ORDER));
    });
  });
});
