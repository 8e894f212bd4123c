import { DataError } from '../data-error.js';
import { MOST_BYTES } from './packed-file.js';

/** What a zip file's directory says about a file in it. */
export interface ZipEntry {
  crc32: number;
  packedSize: number;
  size: number;
}

const END = 0x06054b50;
const END_SIZE = 22;
const LONGEST_COMMENT = 0xffff;
const ZIP64_LOCATOR = 0x07064b50;
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46;
/** Deflate writes a byte or more for every 1032 that it takes. */
const BEST_RATIO = 1032;

/**
 * Reads the directory at the end of a zip file, by name: what is needed to tell, before anything is unpacked, that it can be
 * what the directory says, and afterwards, that it was. PKWARE, "APPNOTE.TXT", 4.3.12 and 4.3.16.
 *
 * @throws DataError if there is no whole directory, or it announces more than can be packed in the file.
 */
export function readZipDirectory(path: string, bytes: Buffer): Map<string, ZipEntry> {
  const broken = new DataError(
    `${path} is not a whole zip file: its directory is damaged or missing; copy or write it again`,
  );
  const end = placeOfEnd(bytes);
  if (end === undefined) throw broken;
  if (end >= 20 && bytes.readUInt32LE(end - 20) === ZIP64_LOCATOR) {
    throw new DataError(`${path} is a zip64 file, for more than 4 GiB; write its arrays as .npy files`);
  }
  const entries = new Map<string, ZipEntry>();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 8); left > 0; left--) {
    if (at + ENTRY_SIZE > end || bytes.readUInt32LE(at) !== ENTRY) throw broken;
    const [nameSize, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const name = bytes.toString('utf8', at + ENTRY_SIZE, at + ENTRY_SIZE + nameSize);
    const [crc32, packedSize, size] = [16, 20, 24].map((offset) => bytes.readUInt32LE(at + offset)) as [
      number,
      number,
      number,
    ];
    if (packedSize > bytes.length) throw broken;
    if (size > MOST_BYTES || size > packedSize * BEST_RATIO) {
      throw new DataError(
        `${path} announces ${size} bytes for ${name}, more than it can hold or than are read; is it damaged?`,
      );
    }
    entries.set(name, { crc32, packedSize, size });
    at += ENTRY_SIZE + nameSize + extra + comment;
  }
  return entries;
}

/** The last place where the end of a directory can begin: only a comment follows it. */
function placeOfEnd(bytes: Buffer): number | undefined {
  for (let at = bytes.length - END_SIZE; at >= 0 && at >= bytes.length - END_SIZE - LONGEST_COMMENT; at--) {
    if (bytes.readUInt32LE(at) === END) return at;
  }
  return undefined;
}
