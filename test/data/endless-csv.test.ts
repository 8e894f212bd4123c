/** Small .csv.gz files that unpack to gigabytes end in an error at once, not in minutes; damaged ones say so. */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCsvTable } from '#shardfit/data/csv-table.js';
import { newFile, temporaryFolder } from './temporary-folder.js';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

/** `beginning`, then 256 MB of `piece`: gzip streams may follow each other. */
const endless = (beginning: string, piece: string) => {
  const part = gzipSync(piece.repeat(2 ** 20 / piece.length));
  return newFile(folder, Buffer.concat([gzipSync(beginning), ...Array<Buffer>(256).fill(part)]), 'csv.gz');
};

describe('a .csv.gz', () => {
  it.each([
    ['a line without an end', 'a,b\n', '1234567812345678', 'has a line of more than 16 million characters'],
    ['a row of endless cells', 'a,b\n', ',', 'has a line of more than 16 million characters'],
    ['a quote without an end', 'a,b\n1,"', '123\n', 'line 2: a row of more than 16 million characters'],
    ['blank lines without an end', 'a,b\n1,2\n', '\n', 'has millions of blank lines or spaces in a row'],
    ['spaces without an end', 'a,b\n1,', ' ', 'has millions of blank lines or spaces in a row'],
  ])('of %s is refused within seconds', async (_, beginning, piece, message) => {
    const path = await endless(beginning, piece);
    const started = performance.now();
    await expect(loadCsvTable(path, { target: 'b' })).rejects.toThrow(message);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('may have blank lines at its end', async () => {
    const path = await newFile(folder, gzipSync(`a,b\n1,2\n3,4\n${'\n'.repeat(100_000)}`), 'csv.gz');
    expect((await loadCsvTable(path, { target: 'b' })).rows).toBe(2);
  });

  it('that is cut short, or is not gzip data, says so and what to do', async () => {
    const text = Array.from({ length: 5000 }, (_, i) => `${i},${Math.sin(i)}`).join('\n');
    const whole = gzipSync(`a,b\n${text}`);
    const short = await newFile(folder, whole.subarray(0, whole.length / 2), 'csv.gz');
    await expect(loadCsvTable(short, { target: 'b' })).rejects.toThrow(
      'ends in the middle of its compressed data; copy or download',
    );
    const plain = await newFile(folder, 'a,b\n1,2\n', 'csv.gz');
    await expect(loadCsvTable(plain, { target: 'b' })).rejects.toThrow('is not gzip data, or it is damaged');
  });
});
