/** Weights that stand in pieces, as inputs and outputs of programs. */
import { otherAxis, type WeightCut } from '../../../common/parameters.js';
import type { InputRole, OutputRole } from '../../../common/program.js';
import { concat } from '../../graph/layout.js';
import { rebuild } from '../../graph/rebuild.js';
import { topologicalOrder, type Value } from '../../graph/value.js';
import type { Lowered } from '../../lowered.js';

/** `role` as that of a piece, if it is of a weight that is cut, or of random numbers that are cut along `axis`. */
export function withOwnPiece<T extends InputRole | OutputRole>(
  role: T,
  axes: ReadonlyMap<number, number>,
  axis?: number | null,
): T {
  if (role.kind === 'uniform') return typeof axis === 'number' ? { ...role, cutAxis: axis } : role;
  const isWeight = role.kind === 'weight' || role.kind === 'gradient' || role.kind === 'state';
  return isWeight && axes.has(role.index) ? { ...role, piece: 'own' } : role;
}

/** The step with each weight that is cut put together from its pieces. */
export function withPieces({ roles, outputs }: Lowered, { shards, axes }: WeightCut): Lowered {
  const all = new Map(roles);
  const replacements = new Map<Value, Value>();
  for (const value of topologicalOrder(outputs.map((output) => output.value))) {
    const role = value.op === 'Input' ? roles.get(value.attrs.name as string) : undefined;
    const axisInModel = role?.kind === 'weight' ? axes.get(role.index) : undefined;
    if (role?.kind !== 'weight' || axisInModel === undefined) continue;
    const axis = role.transposed ? otherAxis(axisInModel) : axisInModel;
    const { graph, dtype } = value;
    const shape = value.shape.map((n, i) => (i === axis ? n / shards : n));
    const inputs = Array.from({ length: shards }, (_, piece) => {
      const name = `${value.attrs.name}_${piece}`;
      all.set(name, { ...role, piece });
      return graph.input(name, { shape, dtype });
    });
    replacements.set(value, concat(inputs, axis));
  }
  const values = rebuild(
    outputs.map(({ value }) => value),
    replacements,
    (value) => value,
  );
  return { roles: all, outputs: outputs.map(({ role }, i) => ({ role, value: values[i] as Value })) };
}
