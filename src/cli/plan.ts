import type * as tf from '@tensorflow/tfjs';
import type { Table } from '../data/table.js';
import type { Objective } from './objective.js';
import { count } from './report/format.js';
import type { RunPlan } from './report/report.js';

/** What is about to be trained, for people. */
export function planOf(table: Table, trainingRows: number, model: tf.LayersModel, objective: Objective): RunPlan {
  const { target } = table;
  const what = target.kind === 'class' ? `${target.classes.length} classes` : 'a number';
  const layers = model.layers.filter((layer) => layer.getClassName() !== 'InputLayer');
  const widths = layers.every((layer) => layer.getClassName() === 'Dense')
    ? [table.columns.length, ...layers.map((layer) => (layer.outputShape as number[]).at(-1))].join('-')
    : `${layers.length} layers`;
  return {
    data: table.name,
    rows: table.rows,
    validationRows: table.rows - trainingRows,
    features: table.columns.length,
    target: `'${target.name}', ${what}`,
    model: `${widths}, ${count(model.countParams())} weights`,
    objective: `loss ${objective.loss}`,
  };
}
