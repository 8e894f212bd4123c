import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { DataError } from '../data-error.js';
import { fileError, sizeOfFile } from '../data-file.js';

/** More bytes than this are not read, nor unpacked: Node reads no larger file at once. */
export const MOST_BYTES = 2 ** 31 - 1;
/** Packed bytes from which the head is unpacked. */
const HEAD = 2 ** 14;

/** The bytes of an array, maybe compressed. Its head tells how many there are before all of them are unpacked. */
export interface PackedFile {
  /** How it is called in messages. */
  source: string;
  /** The first bytes: all of a header, if there is one. */
  head: Uint8Array;
  /**
   * All bytes.
   *
   * @param size how many there must be
   * @throws DataError if there are more or fewer, or they cannot be unpacked.
   */
  unpack(size: number): Promise<Uint8Array>;
}

/**
 * Opens a file, which may be gzipped, whatever its name.
 *
 * @param kind what it should be, for messages: `an .npy file`
 * @throws DataError if it is missing, a folder, unreadable, empty, larger than 2 GiB or not a whole gzip file.
 */
export async function openPacked(path: string, kind: string): Promise<PackedFile> {
  const bytes = await readBytes(path, kind);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gzipped(path, bytes);
  return unpacked(path, bytes);
}

/** All bytes of a file. Throws as {@link openPacked}. */
export async function readBytes(path: string, kind: string): Promise<Buffer> {
  const size = await sizeOfFile(path, kind);
  if (size === 0) throw new DataError(`${path} is empty, not ${kind}; write it again`);
  if (size > MOST_BYTES) throw new DataError(`${path} is larger than 2 GiB, more than is read; cut it into parts`);
  return readFile(path).catch((error) => {
    throw fileError(path, error);
  });
}

/** Bytes that are not compressed. */
export function unpacked(source: string, bytes: Uint8Array): PackedFile {
  return {
    source,
    head: bytes,
    unpack: async (size) => {
      if (bytes.length === size) return bytes;
      throw bytes.length < size ? tooFew(source, bytes.length, size) : tooMany(source, size);
    },
  };
}

function gzipped(path: string, packed: Buffer): PackedFile {
  const broken = (error: unknown) =>
    new DataError(`${path} is not a whole gzip file: ${(error as Error).message}; fetch or write it again`);
  const unpackHead = () => {
    try {
      const head = gunzipSync(packed.subarray(0, HEAD), { finishFlush: constants.Z_SYNC_FLUSH });
      if (head.length === 0) throw new Error('there is nothing in it');
      return head;
    } catch (error) {
      throw broken(error);
    }
  };
  return {
    source: path,
    head: unpackHead(),
    unpack: async (size) => {
      if (size > MOST_BYTES) throw tooLarge(path, size);
      const bytes = await promisify(gunzip)(packed, { maxOutputLength: size }).catch((error) => {
        throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooMany(path, size) : broken(error);
      });
      if (bytes.length < size) throw tooFew(path, bytes.length, size);
      return bytes;
    },
  };
}

function tooFew(source: string, got: number, size: number): DataError {
  return new DataError(
    `${source} holds ${got} bytes, but its header announces ${size}: it is cut short; copy or write it again`,
  );
}

function tooMany(source: string, size: number): DataError {
  return new DataError(
    `${source} holds more than the ${size} bytes that its header announces; write it again, one array to a file`,
  );
}

function tooLarge(source: string, size: number): DataError {
  return new DataError(
    `${source}: its header announces ${size} bytes, more than the 2 GiB that are read; is it damaged?`,
  );
}
