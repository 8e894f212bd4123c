/** Array files made byte by byte, so that each part can be wrong on its own. */

export interface NpyParts {
  /** Type by NumPy's name. */
  descr?: string;
  fortran?: boolean;
  shape?: number[];
  /** The numbers as bytes. Default: zeros, as many as the shape and `<f4` need. */
  bytes?: ArrayBufferView;
  version?: number;
  /** The whole dictionary, in place of what the parts above say. */
  dictionary?: string;
  /** Length of the dictionary that the file announces, in place of the real one. */
  announced?: number;
}

/** An .npy file, as `numpy.save` writes it. */
export function npy(parts: NpyParts = {}): Buffer {
  const { descr = '<f4', fortran = false, shape = [2, 3], version = 1 } = parts;
  const count = shape.reduce((product, size) => product * size, 1);
  const { bytes = new Uint8Array(4 * count) } = parts;
  const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const order = fortran ? 'True' : 'False';
  const text = parts.dictionary ?? `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${sizes}, }`;
  const before = version === 1 ? 10 : 12;
  const dictionary = `${text.padEnd(Math.ceil((before + text.length + 1) / 64) * 64 - before - 1)}\n`;
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(parts.announced ?? dictionary.length, 0, length.length);
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]),
    length,
    Buffer.from(dictionary),
    content,
  ]);
}

/** An IDX file. */
export function idx(type: number, shape: number[], bytes: Uint8Array): Buffer {
  const sizes = Buffer.alloc(4 * shape.length);
  shape.forEach((size, axis) => {
    sizes.writeUInt32BE(size, 4 * axis);
  });
  return Buffer.concat([Buffer.from([0, 0, type, shape.length]), sizes, bytes]);
}

/** Images of 4x4 pixels, 0 to 255, bright for odd rows: two classes that are easy to tell apart. */
export function images(rows: number): Buffer {
  const pixels = Uint8Array.from({ length: rows * 16 }, (_, at) => (Math.floor(at / 16) % 2 ? 200 : 20) + (at % 7));
  return idx(8, [rows, 4, 4], pixels);
}

/** The class of each of those rows. */
export function imageLabels(rows: number): Buffer {
  return idx(
    8,
    [rows],
    Uint8Array.from({ length: rows }, (_, row) => row % 2),
  );
}
