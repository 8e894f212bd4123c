/** From the graph of a shard's step to its program: by ONNX Runtime alone, or with loops where they save time. */
import type { StepProgram, TensorSpec } from '../common/program.js';
import { fitToSizes, forLoops, forRuntime } from './graph/lower.js';
import { topologicalOrder, type Value } from './graph/value.js';
import type { LoopChoice } from './loops/find-loops.js';
import type { Lowered } from './lowered.js';
import { cutStages } from './partition/stages.js';
import { makeTape } from './tape/make-tape.js';

/** Bytes of the loops' memory that a worker may need for the shards of a mini-batch, at most. */
const MOST_LOOP_BYTES = 2 ** 30;

/** Rows of a shard and of the mini-batch that it is a part of. */
type Size = Pick<StepProgram, 'rows' | 'batchRows'>;

/**
 * @param lowered what inputs and outputs mean.
 * @param values the outputs, in the order of those.
 * @param loops what loops compute (see `loops/loopable`), if that saves time and memory suffices; default: nothing.
 */
export function encodeProgram(lowered: Lowered, values: Value[], size: Size, loops?: LoopChoice): StepProgram {
  const fitted = fitToSizes(values);
  return withLoops(lowered, fitted, size, loops) ?? (encode(lowered, forRuntime(fitted), size) as StepProgram);
}

/** Undefined where loops save nothing, or need too much memory. */
function withLoops(lowered: Lowered, fitted: Value[], size: Size, loops?: LoopChoice): StepProgram | undefined {
  const values = loops && forLoops(fitted, loops);
  const program = values && encode(lowered, values, size, loops);
  if (!program?.loops) return undefined;
  const shards = program.stages.length > 1 ? Math.round(size.batchRows / size.rows) : 1;
  return program.loops.bytes * shards <= MOST_LOOP_BYTES ? program : undefined;
}

/** @returns undefined if loops for what is large would save nothing. */
function encode(
  { roles, outputs: named }: Lowered,
  values: Value[],
  size: Size,
  loops?: LoopChoice,
): StepProgram | undefined {
  const outputs = named.map(({ role }, i) => {
    const value = values[i] as Value;
    const name = role.kind === 'logs' ? 'logs' : `${role.kind}_${role.index}`;
    return { name, role, value, shape: [...value.shape], dtype: value.dtype as TensorSpec['dtype'] };
  });
  const used = topologicalOrder(values).filter((value) => value.op === 'Input');
  const inputs = used.map((value) => {
    const name = value.attrs.name as string;
    const role = roles.get(name);
    if (!role) throw new Error(`the step uses '${name}', which is no input`);
    return { name, role, value, shape: [...value.shape], dtype: value.dtype as TensorSpec['dtype'] };
  });
  const staged = cutStages(inputs, outputs, loops);
  if (!staged) return undefined;
  const tape = staged.stages.length === 1 ? makeTape(inputs, outputs) : undefined;
  return {
    ...size,
    ...staged,
    ...(tape && { tape }),
    inputs: inputs.map(withoutValue),
    outputs: outputs.map(withoutValue),
  };
}

function withoutValue<T extends { value: unknown }>({ value: _, ...rest }: T): Omit<T, 'value'> {
  return rest;
}
