import { expect, it } from 'vitest';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import { NON_TEMPORAL_COPY, nonTemporalCopy, writeNonTemporalCopy } from '#shardfit/common/non-temporal-copy.js';
import { FIRST_FREE_BYTE, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';

const here = it.runIf(NON_TEMPORAL_COPY);
const LINE_BYTES = 64;

/** Bytes that differ from their neighbours, and what has become of zeros in a memory of so many pages, copied to `target`. */
function copied(lines: number, { target, pages }: { target: number; pages: number }) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES, shared: true });
  const copy = nonTemporalCopy(writeNonTemporalCopy() as number, new Arena(memory, new LayoutBuilder(0).build()));
  const bytes = lines * LINE_BYTES;
  const source = new Uint8Array(memory.buffer, FIRST_FREE_BYTE, bytes);
  source.set(Uint8Array.from({ length: bytes }, (_, i) => 1 + ((i * 7) % 251)));
  copy(target, FIRST_FREE_BYTE, bytes);
  const around = new Uint8Array(memory.buffer, target - LINE_BYTES, bytes + 2 * LINE_BYTES);
  const edges = [...around.subarray(0, LINE_BYTES), ...around.subarray(LINE_BYTES + bytes)];
  return { made: around.subarray(LINE_BYTES, LINE_BYTES + bytes), source, edges };
}

here.each([0, 1, 2, 3, 1024, 10_001])('copies %i lines, and nothing beside them', (lines) => {
  const { made, source, edges } = copied(lines, { target: 3 * 2 ** 20, pages: 100 });
  expect(Buffer.compare(made, source)).toBe(0);
  expect(edges.every((byte) => byte === 0)).toBe(true);
});

here('copies above 2 GiB, where addresses no longer fit a signed number', () => {
  const { made, source } = copied(5, { target: 3 * 2 ** 30, pages: 50_000 });
  expect(source.some((byte) => byte !== 0)).toBe(true);
  expect([...made]).toEqual([...source]);
});

here('is written once', () => {
  expect(writeNonTemporalCopy()).toBeGreaterThan(0);
  expect(writeNonTemporalCopy()).toBe(writeNonTemporalCopy());
});
