import { inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Channels of a pixel: red, green, blue, alpha. */
const CHANNELS = 4;

/** The pixels of a picture, row by row. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/**
 * Reads a PNG of 8-bit RGBA pixels that are not interlaced.
 *
 * @throws Error if it is another one, or none.
 */
export function readPng(bytes: Uint8Array): Picture {
  const file = Buffer.from(bytes);
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG: it does not begin with its signature');
  const [header, ...rest] = chunks(file);
  const kind = [...(header?.data.subarray(8, 13) ?? [])].join();
  if (kind !== '8,6,0,0,0') throw new Error(`the PNG must be 8-bit RGBA, not interlaced: 8,6,0,0,0, got ${kind}`);
  const [width, height] = [0, 4].map((at) => header?.data.readUInt32BE(at)) as [number, number];
  const rows = inflateSync(Buffer.concat(rest.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  return { width, height, pixels: unfiltered(rows, width * CHANNELS, height) };
}

/** How many pixels of a place are darker than half of white. */
export function darkPixels(
  { width, pixels }: Picture,
  place: { left: number; top: number; right: number; bottom: number },
): number {
  let count = 0;
  for (let y = place.top; y < place.bottom; y++) {
    for (let x = place.left; x < place.right; x++) {
      const [red = 0, green = 0, blue = 0] = pixels.subarray((y * width + x) * CHANNELS);
      if (red + green + blue < 3 * 128) count++;
    }
  }
  return count;
}

function chunks(file: Buffer): { type: string; data: Buffer }[] {
  const found: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    found.push({ type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return found;
}

/** Undoes the filter of each row: what is stored is the difference from a guess by the pixels to the left and above (PNG, section 9). */
function unfiltered(rows: Buffer, stride: number, height: number): Uint8Array {
  const pixels = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)] as number;
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x < CHANNELS ? 0 : (pixels[at - CHANNELS] as number);
      const up = y === 0 ? 0 : (pixels[at - stride] as number);
      const corner = x < CHANNELS || y === 0 ? 0 : (pixels[at - stride - CHANNELS] as number);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] as number;
      pixels[at] = (rows[y * (stride + 1) + 1 + x] as number) + guess;
    }
  }
  return pixels;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value)) as [number, number, number];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
