/**
 * Runs tapes: small step programs as lists of calls, on float32 tensors in the arena. `common/tape` has the same lists of operators.
 *
 * Pointers and strides are in bytes, sizes in elements. A stride of 0 repeats an element. Booleans and class numbers are
 * floats here. Whatever the sizes, each result is computed by one fixed sequence of operations: it does not depend on how
 * the rows of a mini-batch are cut.
 */
import { argMax, reduce, softmax } from './axis';
import { binary, unary, where } from './elementwise';
import { gemm } from './product';

/** Copies a tensor of four axes from strides to strides: transposes, repeats, joins and cuts. */
function copy(
  out: usize,
  x: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      for (let l = 0; l < n2; l++) {
        let from = x + <usize>i * x0 + <usize>j * x1 + <usize>l * x2;
        let to = out + <usize>i * o0 + <usize>j * o1 + <usize>l * o2;
        for (let m = 0; m < n3; m++) {
          store<f32>(to, load<f32>(from));
          from += x3;
          to += o3;
        }
      }
    }
  }
}

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
        copy(
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
