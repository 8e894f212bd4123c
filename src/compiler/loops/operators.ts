/** What loops do at every element, by operators of ONNX: instructions that leave the result on the stack. */
import { VECTOR, vector, vectorConst } from './wasm-code.js';

/** From the instructions that put the operands on the stack. What `alpha` and `beta` mean is the operator's own. */
type Write = (operands: readonly (readonly number[])[], alpha: number, beta: number) => number[];

const plain =
  (instruction: number): Write =>
  (operands) => [...operands.flat(), ...vector(instruction)];

/** Within bounds; NaN stays NaN. */
const clamped = (x: readonly number[], low: number, high: number): number[] => [
  ...[...x, ...vectorConst(high), ...vector(VECTOR.pseudoMin)],
  ...[...vectorConst(low), ...vector(VECTOR.pseudoMax)],
];

/** The larger or smaller of two. Where the second is NaN all bits of the result are set, NaN too; the first stays as it is if it is NaN. */
const extreme =
  (instruction: number): Write =>
  ([a = [], b = []]) => [
    ...[...a, ...b, ...vector(instruction)],
    ...[...b, ...b, ...vector(VECTOR.notEqual), ...vector(VECTOR.or)],
  ];

/** True lanes have all bits set. */
export const OPERATORS: Readonly<Record<string, Write>> = {
  Abs: plain(VECTOR.abs),
  Add: plain(VECTOR.add),
  And: plain(VECTOR.and),
  Cast: ([mask = []]) => [...mask, ...vectorConst(1), ...vector(VECTOR.and)],
  Clip: ([x = []], alpha, beta) => clamped(x, alpha, beta),
  Div: plain(VECTOR.div),
  Equal: plain(VECTOR.equal),
  Greater: plain(VECTOR.greater),
  GreaterOrEqual: plain(VECTOR.greaterOrEqual),
  HardSigmoid: ([x = []], alpha, beta) => {
    const scaled = [...x, ...vectorConst(alpha), ...vector(VECTOR.mul)];
    return clamped(beta === 0 ? scaled : [...scaled, ...vectorConst(beta), ...vector(VECTOR.add)], 0, 1);
  },
  // x < 0 ? alpha x : x
  LeakyRelu: ([x = []], alpha) => [
    ...[...x, ...vectorConst(alpha), ...vector(VECTOR.mul), ...x],
    ...[...x, ...vectorConst(0), ...vector(VECTOR.less), ...vector(VECTOR.bitselect)],
  ],
  Less: plain(VECTOR.less),
  LessOrEqual: plain(VECTOR.lessOrEqual),
  Max: extreme(VECTOR.pseudoMax),
  Min: extreme(VECTOR.pseudoMin),
  Mul: plain(VECTOR.mul),
  Neg: plain(VECTOR.neg),
  Not: plain(VECTOR.not),
  Or: plain(VECTOR.or),
  Reciprocal: ([x = []]) => [...vectorConst(1), ...x, ...vector(VECTOR.div)],
  Relu: ([x = []]) => [...x, ...vectorConst(0), ...vector(VECTOR.pseudoMax)],
  Sqrt: plain(VECTOR.sqrt),
  Sub: plain(VECTOR.sub),
  Sum: ([first = [], ...rest]) => [...first, ...rest.flatMap((x) => [...x, ...vector(VECTOR.add)])],
  Where: ([mask = [], a = [], b = []]) => [...a, ...b, ...mask, ...vector(VECTOR.bitselect)],
};
