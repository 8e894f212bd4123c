import { describe, expect, it } from 'vitest';
import { AbortedError, CONTROL_WORDS, Control } from '#shardfit/common/control.js';

const control = () => new Control(new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4)));

describe('control words', () => {
  it('tell who failed first, whoever fails later', () => {
    const words = control();
    words.throwIfAborted();
    words.abort(0);
    words.abort(3);
    words.abort();
    expect(() => words.throwIfAborted()).toThrow(AbortedError);
    expect(() => words.throwIfAborted()).toThrow('worker 0 failed');
  });

  it('tell a worker that failed from a coordinator that gave up', () => {
    const words = control();
    words.abort();
    expect(() => words.throwIfAborted()).toThrow('training was abandoned');
  });

  it('do not run into each other', () => {
    const words = control();
    words.stepsDone = 7;
    words.requestStop();
    words.stopped = true;
    expect(words.arrive()).toBe(1);
    words.release();
    expect(words).toMatchObject({ stepsDone: 7, stopRequested: true, stopped: true, generation: 1 });
    words.throwIfAborted();
    expect(words.arrive()).toBe(1);
  });

  it('need their full length', () => {
    expect(() => new Control(new Int32Array(CONTROL_WORDS - 1))).toThrow(RangeError);
  });
});
