import { DataError } from '../data-error.js';
import { shorten } from '../number-cell.js';
import { ELEMENT_TYPES, type ElementType, isElementType } from './elements.js';

/** As NumPy, which reads no longer header by default. */
const LONGEST = 10_000;
const MAGIC = '\x93NUMPY';

/** What stands before the numbers of an .npy file. */
export interface NpyHeader {
  /** Bytes before the numbers. */
  length: number;
  type: ElementType;
  bigEndian: boolean;
  /** Whether the first axis runs fastest, as in Fortran, and not the last. */
  fortranOrder: boolean;
  shape: number[];
}

/**
 * Reads the header of an .npy file of version 1.0, 2.0 or 3.0: a magic number, the version, a length, and a Python dictionary.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @throws DataError if it is not such a file, or of a type that is no plain number.
 */
export function readNpyHeader(source: string, head: Uint8Array): NpyHeader {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw new DataError(`${source} is not an .npy file: it does not begin with \\x93NUMPY; write it with numpy.save`);
  }
  const cutShort = new DataError(`${source} is cut short in its header; copy or write it again`);
  if (bytes.length < 12) throw cutShort;
  const version = bytes[6] as number;
  if (version < 1 || version > 3) {
    throw new DataError(
      `${source} is an .npy file of version ${version}.${bytes[7]}, not 1.0 to 3.0; write it with numpy.save`,
    );
  }
  const start = version === 1 ? 10 : 12;
  const size = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  if (size > LONGEST) {
    throw new DataError(
      `${source}: its header announces a length of ${size} bytes, more than ${LONGEST}; is it damaged?`,
    );
  }
  if (bytes.length < start + size) throw cutShort;
  return { length: start + size, ...readDictionary(source, bytes.toString('utf8', start, start + size).trim()) };
}

function readDictionary(source: string, text: string): Omit<NpyHeader, 'length'> {
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  // A long integer of Python 2 ends in L.
  const sizes = /['"]shape['"]\s*:\s*\(([\dL\s,]*)\)/.exec(text)?.[1];
  const descr = /['"]descr['"]\s*:\s*(\[|['"]([^'"]*)['"])/.exec(text);
  if (!text.startsWith('{') || !text.endsWith('}') || order === undefined || sizes === undefined || !descr) {
    throw new DataError(`${source} has a header without descr, fortran_order and shape; write it with numpy.save`);
  }
  return {
    ...readType(source, descr[2] ?? 'several fields'),
    fortranOrder: order === 'True',
    shape: (sizes.match(/\d+/g) ?? []).map(Number),
  };
}

function readType(source: string, descr: string): Pick<NpyHeader, 'type' | 'bigEndian'> {
  const [, order, type = ''] = /^([<>|=]?)(\w+)$/.exec(descr) ?? [];
  if (isElementType(type)) return { type, bigEndian: order === '>' };
  throw new DataError(
    `${source} holds values of type '${shorten(descr)}', which are no plain numbers; write it as one of ${ELEMENT_TYPES.join(', ')}`,
  );
}
