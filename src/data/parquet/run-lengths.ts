/**
 * Whether runs stay within a number of values, in the encoding of Parquet that mixes runs of equal values with values that
 * are packed bit by bit, eight at a time. https://parquet.apache.org/docs/file-format/data-pages/encodings/
 *
 * @param width bits of a value
 * @param most values that there can be
 */
export function runsFit(bytes: Uint8Array, width: number, most: number): boolean {
  let seen = 0;
  let at = 0;
  while (at < bytes.length && seen < most) {
    let header = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 28) return false;
      header += (byte & 127) * scale;
      if (byte < 128) break;
    }
    const count = Math.floor(header / 2);
    const packed = header % 2 === 1;
    // The last eight need not all be values.
    if (packed ? seen + count * 8 >= most + 8 : seen + count > most) return false;
    at += packed ? count * width : Math.ceil(width / 8);
    seen += packed ? count * 8 : count;
  }
  return true;
}
