/**
 * Runs tapes: small step programs as lists of calls, on float32 tensors in the arena. `common/tape` has the same list of calls.
 *
 * Pointers and strides are in bytes, sizes in elements. A stride of 0 repeats an element. Booleans and class numbers are
 * floats here. Whatever the sizes, each result is computed by one fixed sequence of operations: it does not depend on how
 * the rows of a mini-batch are cut.
 */
import { argMax, reduce, softmax } from './axis';
import { binary, where } from './binary';
import { gemm } from './product';
import { stridedCopy } from './strided-copy';
import { unary } from './unary';

/** The calls of a tape, by number. */
const enum Call {
  Gemm,
  Binary,
  Unary,
  Where,
  Reduce,
  Softmax,
  ArgMax,
  Copy,
}

/** Bytes of a call: its number and its arguments, a word of four bytes each. */
const CALL_BYTES: usize = 72;

@inline
function word(at: usize, index: usize): i32 {
  return load<i32>(at + (index << 2));
}

@inline
function size(at: usize, index: usize): usize {
  return <usize>load<u32>(at + (index << 2));
}

@inline
function float(at: usize, index: usize): f32 {
  return load<f32>(at + (index << 2));
}

/** Makes the calls that stand from `tape` to `end`, one after the other. */
export function runTape(tape: usize, end: usize): void {
  for (let at = tape; at < end; at += CALL_BYTES) {
    switch (word(at, 0)) {
      case Call.Gemm:
        gemm(
          size(at, 1),
          size(at, 2),
          size(at, 3),
          size(at, 4),
          word(at, 5),
          word(at, 6),
          word(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
        );
        break;
      case Call.Binary:
        binary(
          word(at, 1),
          size(at, 2),
          size(at, 3),
          size(at, 4),
          word(at, 5),
          word(at, 6),
          word(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
        );
        break;
      case Call.Unary:
        unary(word(at, 1), size(at, 2), size(at, 3), word(at, 4), float(at, 5), float(at, 6));
        break;
      case Call.Where:
        where(
          size(at, 1),
          size(at, 2),
          size(at, 3),
          size(at, 4),
          word(at, 5),
          word(at, 6),
          word(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
          size(at, 14),
          size(at, 15),
          size(at, 16),
        );
        break;
      case Call.Reduce:
        reduce(word(at, 1), size(at, 2), size(at, 3), word(at, 4), word(at, 5), word(at, 6));
        break;
      case Call.Softmax:
        softmax(size(at, 1), size(at, 2), word(at, 3), word(at, 4));
        break;
      case Call.ArgMax:
        argMax(size(at, 1), size(at, 2), word(at, 3), word(at, 4), float(at, 5));
        break;
      default:
        stridedCopy(
          size(at, 1),
          size(at, 2),
          word(at, 3),
          word(at, 4),
          word(at, 5),
          word(at, 6),
          size(at, 7),
          size(at, 8),
          size(at, 9),
          size(at, 10),
          size(at, 11),
          size(at, 12),
          size(at, 13),
          size(at, 14),
        );
    }
  }
}
