/** A thread that ends by process.exit() with `workerData.sessions` programs loaded. Counts in `workerData.released` those that are given back. */
import { workerData } from 'node:worker_threads';
import { Graph } from '#shardfit/compiler/graph/value.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';
import { OnnxRuntime } from '#shardfit/onnx-runtime/runtime.js';
import { Session } from '#shardfit/onnx-runtime/session.js';

const { releaseSession } = OnnxRuntime.prototype;
OnnxRuntime.prototype.releaseSession = function (session) {
  releaseSession.call(this, session);
  Atomics.add(workerData.released, 0, 1);
};

const graph = new Graph();
const type = { shape: [1], dtype: 'float32' };
const x = graph.input('x', type);
const onnx = encodeModel([{ name: 'x', value: x }], [{ name: 'y', value: graph.node('Add', [x, x], {}, type) }]);
for (let i = 0; i < workerData.sessions; i++) new Session(onnx);
process.exit(3);
