/** What operators have in common. */

const UNARY =
  'Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid IsInf IsNaN LeakyRelu Log ' +
  'Mish Neg Not PRelu Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu';
const BINARY =
  'Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mod Mul Or Pow Sub Sum Where Xor';

/** Operators on elements of several values, with broadcasting. */
export const BROADCASTING: ReadonlySet<string> = new Set(BINARY.split(' '));
/** Those, and operators on the elements of one value. */
export const ELEMENTWISE: ReadonlySet<string> = new Set(`${UNARY} ${BINARY}`.split(' '));
/** Operators along axes. */
export const REDUCTIONS: ReadonlySet<string> = new Set(['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd']);
