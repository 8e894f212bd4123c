/** Ends threads, some of them while they are in ONNX Runtime, and trains nothing. Exits with 0 if the process outlives it. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { Graph } from '#shardfit/compiler/graph/value.js';
import { encodeModel } from '#shardfit/compiler/onnx/encode.js';
import { Call, Session, tensorOver } from '#shardfit/onnx-runtime/session.js';

const SIDE = 300;

function square() {
  const graph = new Graph();
  const type = { shape: [SIDE, SIDE], dtype: 'float32' };
  const x = graph.input('x', type);
  return encodeModel([{ name: 'x', value: x }], [{ name: 'y', value: graph.node('MatMul', [x, x], {}, type) }]);
}

if (isMainThread) {
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(new URL(import.meta.url));
    await once(worker, 'message');
    await worker.terminate();
  }
} else {
  const session = new Session(square());
  const tensor = () => tensorOver(new Float32Array(SIDE ** 2), [SIDE, SIDE]);
  const call = new Call({ x: tensor() }, { y: tensor() });
  session.run(call);
  parentPort.postMessage('running');
  for (;;) session.run(call);
}
