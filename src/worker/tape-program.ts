import { type Arena, FLOAT_BYTES } from '../common/arena.js';
import { parameterAt } from '../common/parameters.js';
import type { StepProgram } from '../common/program.js';
import type { ReplicaSetup } from '../common/protocol.js';
import { sizeOf } from '../common/shapes.js';
import { CALL_WORDS, type Tape, tapeBytes, type Word } from '../common/tape.js';
import type { Kernels } from '../kernels/kernels.js';
import { type Feed, feedOf, type RunnableProgram } from './runnable-program.js';

/** A step program that runs from its tape: WebAssembly kernels on the arena itself. */
export class TapeProgram implements RunnableProgram {
  readonly program: StepProgram;
  readonly rows: number;
  readonly batchRows: number;
  readonly stages = 1;
  readonly #tape: Tape;
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #setup: ReplicaSetup;
  /** Byte addresses: the scratch memory, the weights, and where the next calls are written. */
  readonly #scratch: number;
  readonly #weights: number;
  #next: number;
  readonly #end: number;
  readonly #feeds: Feed[] = [];
  readonly #logs: Float32Array;
  /** Where the calls for each shard stand. */
  readonly #calls = new Map<number, number>();

  /**
   * @param at byte address of as much memory as `tapeBytes` says.
   * @param weights byte address of the weights to read.
   */
  constructor(
    program: StepProgram,
    tape: Tape,
    arena: Arena,
    kernels: Kernels,
    setup: ReplicaSetup,
    at: number,
    weights: number,
  ) {
    this.program = program;
    this.rows = program.rows;
    this.batchRows = program.batchRows;
    this.#tape = tape;
    this.#arena = arena;
    this.#kernels = kernels;
    this.#setup = setup;
    this.#scratch = at;
    this.#weights = weights;
    this.#next = at + tape.scratchBytes;
    this.#end = at + tapeBytes(tape, setup.shards);
    for (const input of program.inputs) {
      const place = tape.buffers[input.name];
      if (place !== undefined) this.#feeds.push(feedOf(input, this.#floats(place, sizeOf(input.shape))));
    }
    this.#logs = this.#floats(tape.buffers.logs as number, setup.logCount);
    for (const constant of tape.constants) this.#floats(constant.at, constant.values.length).set(constant.values);
  }

  /** Shards go through a tape one after the other and use the same. */
  feeds(): readonly Feed[] {
    return this.#feeds;
  }

  /** No tape has any. */
  output(_shard: number, name: string): never {
    throw new Error(`a tape leaves no output '${name}'`);
  }

  logs(): Float32Array {
    return this.#logs;
  }

  run(shard: number): void {
    const calls = this.#callsOf(shard);
    this.#kernels.runTape(calls, calls + this.#tape.calls.length * CALL_WORDS * FLOAT_BYTES);
  }

  /** Programs of several stages have no tape. */
  exchange(): void {}

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#arena.memory.buffer, this.#scratch + at, length);
  }

  #callsOf(shard: number): number {
    const known = this.#calls.get(shard);
    if (known !== undefined) return known;
    const at = this.#next;
    const { calls } = this.#tape;
    this.#next += calls.length * CALL_WORDS * FLOAT_BYTES;
    if (this.#next > this.#end) throw new Error(`there is no room for the calls of shard ${shard}`);
    const words = new Int32Array(this.#arena.memory.buffer, at, calls.length * CALL_WORDS);
    const floats = new Float32Array(words.buffer, at, words.length);
    calls.forEach((call, i) => {
      call.forEach((word, j) => {
        const position = i * CALL_WORDS + j;
        if (typeof word === 'object' && 'float' in word) floats[position] = word.float;
        else words[position] = this.#resolve(word, shard);
      });
    });
    this.#calls.set(shard, at);
    return at;
  }

  #resolve(word: Exclude<Word, { float: number }>, shard: number): number {
    if (typeof word === 'number') return word;
    if ('scratch' in word) return this.#scratch + word.scratch;
    const { parameters } = this.#setup;
    if ('weight' in word) return this.#weights + parameterAt(parameters, word.weight).offset * FLOAT_BYTES;
    const slot = this.#arena.segment('gradients').offset + shard * parameters.replacedEnd * FLOAT_BYTES;
    return slot + parameterAt(parameters, word.gradient).offset * FLOAT_BYTES;
  }
}
