import zlib from 'node:zlib';
import type { CompressionCodec, Compressors } from 'hyparquet';

type Unpack = (packed: Uint8Array, options: { maxOutputLength: number }) => Buffer;

/** zstd came with Node 22.15: an older one does without. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: Unpack };

/** What Node unpacks; hyparquet itself unpacks snappy. No more is made than the header of a page announces. */
export const COMPRESSORS: Compressors = {
  GZIP: bounded(zlib.gunzipSync),
  BROTLI: bounded(zlib.brotliDecompressSync),
  ...(zstdDecompressSync && { ZSTD: bounded(zstdDecompressSync) }),
};

export function isReadable(codec: CompressionCodec): boolean {
  return codec === 'UNCOMPRESSED' || codec === 'SNAPPY' || codec in COMPRESSORS;
}

function bounded(unpack: Unpack): (packed: Uint8Array, size: number) => Uint8Array {
  return (packed, size) => unpack(packed, { maxOutputLength: Math.max(1, size) });
}
