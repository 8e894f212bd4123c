import { crc32 } from 'node:zlib';
import { unzipSync } from 'fflate';
import { didYouMean } from '../../common/nearest-name.js';
import { DataChoiceError, DataError } from '../data-error.js';
import type { ArrayData } from './array-data.js';
import { unpackNpy } from './npy.js';
import { readBytes, unpacked } from './packed-file.js';
import { readZipDirectory, type ZipEntry } from './zip-directory.js';

/** The array to read, and the option that names it, for messages. */
export interface NpzName {
  key: string;
  flag: string;
}

/**
 * Reads arrays of an .npz file, which `numpy.savez` or `savez_compressed` wrote: a zip of .npy files. Others in it are left
 * packed.
 *
 * @returns the arrays in the order of `names`
 * @throws DataError that says what is wrong with the file; DataChoiceError if it has no array of a name.
 */
export async function loadNpz(path: string, names: NpzName[]): Promise<ArrayData[]> {
  const bytes = await readBytes(path, 'an .npz file');
  if (bytes.toString('latin1', 0, 2) !== 'PK') {
    throw new DataError(`${path} is not an .npz file: it does not begin with PK; write it with numpy.savez`);
  }
  const directory = readZipDirectory(path, bytes);
  for (const name of names) checkName(path, name, [...directory.keys()].map(withoutExtension));
  const files = unzip(path, bytes, new Set(names.map(({ key }) => `${key}.npy`)), directory);
  const arrays: ArrayData[] = [];
  for (const { key } of names) {
    arrays.push(await unpackNpy(unpacked(`array '${key}' of ${path}`, files[`${key}.npy`] as Uint8Array)));
  }
  return arrays;
}

function checkName(path: string, { key, flag }: NpzName, found: string[]): void {
  if (found.includes(key)) return;
  const shown = `${found.slice(0, 20).join(', ')}${found.length > 20 ? ', ...' : ''}`;
  throw new DataChoiceError(
    `${path} has no array '${key}'${didYouMean(key, found) || '.'} It has: ${shown || 'none'}; name one with ${flag}`,
  );
}

function withoutExtension(name: string): string {
  return name.replace(/\.npy$/, '');
}

function unzip(
  path: string,
  bytes: Buffer,
  wanted: Set<string>,
  directory: Map<string, ZipEntry>,
): Record<string, Uint8Array> {
  const broken = (name: string, what: string) =>
    new DataError(`${path} is not a whole zip file: ${withoutExtension(name)} ${what}; copy or write it again`);
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: ({ name }) => wanted.has(name) });
  } catch (error) {
    throw broken([...wanted].join(' or '), `cannot be unpacked (${(error as Error).message})`);
  }
  for (const name of wanted) {
    const file = files[name];
    const { size, crc32: expected } = directory.get(name) as ZipEntry;
    if (file?.length !== size || crc32(file) !== expected) throw broken(name, 'is damaged: its checksum is wrong');
  }
  return files;
}
