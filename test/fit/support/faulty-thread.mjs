/**
 * Preloaded into every thread of a process (`--import`): makes ONNX Runtime fail as FAULT tells it to.
 *
 * FAULT="exit 0.4 7": in the worker whose shard is less than 0.4 of a mini-batch, the seventh training step ends the thread.
 * "throw" fails that step with an error instead, "exit-evaluation" counts validation steps; "exit-load" ends the threads that load a program.
 */
import { isMainThread } from 'node:worker_threads';

const [kind, largestShare, call] = (process.env.FAULT ?? '').split(' ');
/** Rows of a mini-batch in fit-in-child.mjs. */
const BATCH = 3;

if (!isMainThread && kind) {
  const { OnnxRuntime } = await import('#shardfit/onnx-runtime/runtime.js');
  const { Session } = await import('#shardfit/onnx-runtime/session.js');
  const { run } = Session.prototype;
  const { createSession } = OnnxRuntime.prototype;
  let calls = 0;

  OnnxRuntime.prototype.createSession = function (...args) {
    if (kind === 'exit-load') process.exit(3);
    return createSession.apply(this, args);
  };

  Session.prototype.run = function (given) {
    const share = given.inputs.feature_0.dims[0] / BATCH;
    // Evaluation has no gradients.
    const training = Object.keys(given.outputs).length > 1;
    const evaluates = kind === 'exit-evaluation';
    if (share < Number(largestShare) && training !== evaluates) {
      calls++;
      if (calls === Number(call) && kind === 'throw') throw new Error('the program is corrupted');
      if (calls === Number(call)) process.exit(3);
    }
    run.call(this, given);
  };
}
