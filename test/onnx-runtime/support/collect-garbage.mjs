/** Runs a program before and after garbage has been collected. Node must be started with --expose-gc. Exits with 0 if that is done. */
import { setImmediate } from 'node:timers/promises';
import { Graph } from '#shardfit/compiler/graph/value.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';
import { Call, Session, tensorOver } from '#shardfit/onnx-runtime/session.js';

const graph = new Graph();
const type = { shape: [1], dtype: 'float32' };
const x = graph.input('x', type);
const onnx = encodeModel([{ name: 'x', value: x }], [{ name: 'y', value: graph.node('Add', [x, x], {}, type) }]);
const session = new Session(onnx);
const y = tensorOver(new Float32Array(1), [1]);
const call = new Call({ x: tensorOver(Float32Array.of(21), [1]) }, { y });
session.run(call);
for (let i = 0; i < 3; i++) {
  globalThis.gc();
  await setImmediate(); // what is done for collected objects is done then
}
y.data.fill(0);
session.run(call);
if (y.data[0] !== 42) throw new Error(`21 + 21 is ${y.data[0]}`);
