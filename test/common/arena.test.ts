import { describe, expect, it } from 'vitest';
import { Arena, type ArenaLayout, LayoutBuilder } from '#shardfit/common/arena.js';

const PAGE = 65_536;

function layout() {
  return new LayoutBuilder(PAGE).add('a', 'float32', 3).add('b', 'bool', 65).add('c', 'int32', 4).build();
}

function allocate(built: ArenaLayout): Arena {
  const initial = Math.ceil(built.bytes / PAGE);
  return new Arena(new WebAssembly.Memory({ initial, maximum: 65_536, shared: true }), built);
}

describe('an arena', () => {
  it('gives every segment cache lines of its own', () => {
    const { segments, bytes } = layout();
    expect(segments.a).toEqual({ offset: PAGE, length: 3, dtype: 'float32' });
    expect(segments.b?.offset).toBe(PAGE + 64);
    expect(segments.c?.offset).toBe(PAGE + 64 + 128);
    expect(bytes).toBe(PAGE + 64 + 128 + 64);
  });

  it('is one memory: what one view writes, another reads', () => {
    const arena = allocate(layout());
    const other = new Arena(arena.memory, arena.layout);
    arena.ints('c').set([1, 2, 3, 4]);
    expect([...other.ints('c')]).toEqual([1, 2, 3, 4]);
    other.ints('c')[2] = 30;
    expect([...arena.ints('c')]).toEqual([1, 2, 30, 4]);
    expect(arena.floats('a').buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('starts as zeros and keeps segments apart', () => {
    const arena = allocate(layout());
    arena.array('b').fill(1);
    expect([...arena.floats('a')]).toEqual([0, 0, 0]);
    expect([...arena.ints('c')]).toEqual([0, 0, 0, 0]);
  });

  it('cannot be larger than one WebAssembly memory, and says so', () => {
    const builder = new LayoutBuilder(PAGE).add('data', 'float32', 2 ** 30);
    expect(() => builder.build()).toThrow(RangeError);
    expect(() => builder.build()).toThrow(/4\.00 GiB.*at most 4 GiB/);
  });

  it('can be just as large as one WebAssembly memory', () => {
    expect(new LayoutBuilder(PAGE).add('data', 'float32', 2 ** 30 - PAGE / 4).build().bytes).toBe(2 ** 32);
  });

  it('names a segment it does not have', () => {
    expect(() => allocate(layout()).segment('d')).toThrow("no segment 'd'");
  });
});
