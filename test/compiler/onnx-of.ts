import type { RuntimeStep, StepProgram } from '#shardfit/common/program.js';

/** What ONNX Runtime computes of a program, one ONNX graph behind the other. */
export function onnxOf({ stages }: Pick<StepProgram, 'stages'>): Buffer {
  const steps = stages.flat().filter((step): step is RuntimeStep => 'onnx' in step);
  return Buffer.concat(steps.map(({ onnx }) => onnx));
}

/** How many nodes of an operator there are: nodes are named by operator and number. */
export function countOf(operator: string, program: Pick<StepProgram, 'stages'>): number {
  return new Set(
    onnxOf(program)
      .toString('latin1')
      .match(new RegExp(`(?<![A-Za-z])${operator}_\\d+`, 'g')),
  ).size;
}
