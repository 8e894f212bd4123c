import { Call, Session, tensorOver } from '../../onnx-runtime/session.js';
import { Graph } from '../graph/value.js';
import { encodeModel } from './encode.js';

/** The most channels that a block has been seen to have, times two. */
const CHANNELS = 64;

let known: number | undefined;

/**
 * Channels of a block in ONNX Runtime's blocked layout on this processor: 8 or 16 on x86; 1 where it has none. Seen by
 * letting it reorder two pixels: the second channel of the first one comes behind it, where channels lie in blocks.
 */
export function channelBlock(): number {
  known ??= probe();
  return known;
}

function probe(): number {
  const graph = new Graph();
  const type = { shape: [1, CHANNELS, 1, 2], dtype: 'float32' } as const;
  const x = graph.input('x', type);
  const blocked = graph.node('BlockChannels', [x], { channels_last: 0 }, type);
  // Numbers of the channels, each twice: where the second pixel's begin, a block ends.
  const data = Float32Array.from({ length: 2 * CHANNELS }, (_, i) => Math.floor(i / 2));
  const result = new Float32Array(data.length);
  try {
    using session = new Session(encodeModel([{ name: 'x', value: x }], [{ name: 'y', value: blocked }]));
    using call = new Call({ x: tensorOver(data, type.shape) }, { y: tensorOver(result, type.shape) });
    session.run(call);
  } catch {
    return 1;
  }
  const block = result.indexOf(0, 1);
  return Math.max(1, block);
}
