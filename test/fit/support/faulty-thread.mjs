/**
 * Preloaded into every thread of a process (`--import`): makes ONNX Runtime fail as FAULT tells it to.
 *
 * FAULT="exit 0.4 7": in the worker whose shard is less than 0.4 of a mini-batch, the seventh training step ends the thread.
 * "throw" fails that step with an error instead; "exit-load" ends the threads that load a program; "refuse-shared" takes no
 * tensor in shared memory, as on Node 20.
 */
import { isMainThread } from 'node:worker_threads';
import { binding } from 'onnxruntime-node/dist/binding.js';

const [kind, largestShare, call] = (process.env.FAULT ?? '').split(' ');
const Original = binding.InferenceSession;
/** Rows of a mini-batch in fit-in-child.mjs. */
const BATCH = 3;
let calls = 0;

class FaultySession {
  #session = new Original();

  loadModel(...args) {
    if (kind === 'exit-load') process.exit(3);
    return this.#session.loadModel(...args);
  }

  run(inputs, outputs, options) {
    if (kind === 'refuse-shared') {
      const tensors = [...Object.values(inputs), ...Object.values(outputs)];
      if (tensors.some(({ data }) => data.buffer instanceof SharedArrayBuffer)) throw new Error('Invalid argument');
    }
    const share = inputs.feature_0.dims[0] / BATCH;
    // Evaluation has no gradients.
    const training = Object.keys(outputs).length > 1;
    const evaluates = kind === 'exit-evaluation';
    if (share < Number(largestShare) && training !== evaluates && calls === Number(call) - 1) {
      if (kind !== 'throw') process.exit(3);
      throw new Error('the program is corrupted');
    }
    this.#session.run(inputs, outputs, options);
    // Behind the call: the first one of a thread fails where tensors cannot live in shared memory, and is made again.
    if (training !== evaluates) calls++;
  }

  dispose() {
    this.#session.dispose();
  }
}

if (!isMainThread && kind) binding.InferenceSession = FaultySession;
