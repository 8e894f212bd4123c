import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import type * as tf from '@tensorflow/tfjs';

/** All weights of a model as little-endian 32-bit floats, one behind the other, in the order of `model.getWeights()`. */
export function weightBytes(model: tf.LayersModel): Uint8Array {
  const values = model.getWeights().map((weight) => weight.dataSync());
  const bytes = new Uint8Array(values.reduce((sum, part) => sum + part.length, 0) * 4);
  const floats = new Float32Array(bytes.buffer);
  let offset = 0;
  for (const part of values) {
    floats.set(part, offset);
    offset += part.length;
  }
  return endianness() === 'LE' ? bytes : Buffer.from(bytes.buffer).swap32();
}

/** SHA-256 in hexadecimal digits. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
