/** Runs the tape of a step program in an arena of its own. */
import { expect } from 'vitest';
import { Arena, LayoutBuilder } from '#shardfit/common/arena.js';
import { layOutParameters } from '#shardfit/common/parameters.js';
import type { StepProgram } from '#shardfit/common/program.js';
import type { ReplicaSetup } from '#shardfit/common/protocol.js';
import { tapeBytes } from '#shardfit/common/tape.js';
import { FIRST_FREE_BYTE, loadKernels, MAXIMUM_PAGES } from '#shardfit/kernels/kernels.js';
import { TapeProgram } from '#shardfit/worker/tape-program.js';

/** Outputs of a program by name, from its inputs by name. */
export function runTape(program: StepProgram, inputs: Record<string, ArrayLike<number>>): Record<string, Float32Array> {
  const { tape } = program;
  if (!tape) throw new Error('the program has no tape');
  const weights = new Map(
    [...program.inputs, ...program.outputs].flatMap(({ role, shape }) =>
      'index' in role && ['weight', 'gradient', 'state'].includes(role.kind) ? [[role.index, shape] as const] : [],
    ),
  );
  const described = [...weights].map(([index, shape]) => ({
    index,
    name: '',
    shape: [...shape],
    role: 'trained' as const,
  }));
  const parameters = layOutParameters(described);
  const layout = new LayoutBuilder(FIRST_FREE_BYTE)
    .add('weights', 'float32', parameters.length)
    .add('gradients', 'float32', parameters.length)
    .add('tape', 'float32', tapeBytes(tape, 1) / 4)
    .build();
  const initial = Math.ceil(layout.bytes / 65_536);
  const memory = new WebAssembly.Memory({ initial, maximum: MAXIMUM_PAGES, shared: true });
  const arena = new Arena(memory, layout);
  const logs = program.outputs.find(({ role }) => role.kind === 'logs')?.shape[0] ?? 0;
  const setup = { parameters, shards: 1, logCount: logs } as unknown as ReplicaSetup;
  const kernels = loadKernels(memory);
  const { offset } = arena.segment('tape');
  const runnable = new TapeProgram(program, tape, arena, kernels, setup, offset, arena.segment('weights').offset);
  const slotOf = (segment: string, index: number) => {
    const { offset: at, size } = parameters.parameters.find((p) => p.index === index) as {
      offset: number;
      size: number;
    };
    return arena.floats(segment).subarray(at, at + size);
  };
  for (const { name, role } of program.inputs) {
    if (role.kind === 'weight') slotOf('weights', role.index).set(inputs[name] as ArrayLike<number>);
  }
  for (const { input, values } of runnable.feeds()) values.set(inputs[input.name] as ArrayLike<number>);
  runnable.run(0);
  return Object.fromEntries(
    program.outputs.map(({ name, role }) => [
      name,
      (role.kind === 'logs' ? runnable.logs() : slotOf('gradients', (role as { index: number }).index)).slice(),
    ]),
  );
}

/** Holds a tape against what ONNX Runtime made of the same program. */
export function expectTape(
  program: StepProgram,
  inputs: Record<string, ArrayLike<number>>,
  expected: Record<string, ArrayLike<number>>,
): void {
  for (const [name, values] of Object.entries(runTape(program, inputs))) {
    const reference = expected[name] as ArrayLike<number>;
    const largest = Array.from(reference).reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
    values.forEach((value, i) => {
      const wanted = reference[i] as number;
      if (Number.isNaN(wanted) && Number.isNaN(value)) return;
      expect(Math.abs(value - wanted), `${name}[${i}] of the tape is ${value}, not ${wanted}`).toBeLessThanOrEqual(
        2e-5 * largest,
      );
    });
  }
}
