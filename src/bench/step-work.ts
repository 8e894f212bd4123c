import type * as tf from '@tensorflow/tfjs';
import { constants } from '../compiler/compile.js';
import { lowerGraph, mergeOperations } from '../compiler/graph/lower.js';
import { productsOf } from '../compiler/graph/products.js';
import { topologicalOrder } from '../compiler/graph/value.js';
import { NotPartitionable, StepCompiler, traceTraining } from '../compiler/index.js';
import type { Workload } from './workloads/workload.js';

/** What an update has to do, whoever does it. */
export interface StepWork {
  /** Floating-point operations of its matrix products and convolutions, a multiply-add being two. */
  flops: number;
  /** Bytes of the trained weights, which are as many as those of a gradient. */
  parameterBytes: number;
  /** Times that workers meet: twice, and once more wherever rows of different shards depend on each other. */
  meetings: number;
}

/** Counts the work of one update of a workload, as compiled. */
export function stepWork(workload: Workload): StepWork {
  const sequential = workload.build();
  // A `Sequential` has its model inside: that one is traced.
  const model = (sequential as unknown as { model?: tf.LayersModel }).model ?? sequential;
  const { x, y } = workload.data();
  const rowSpec = ({ shape, dtype }: tf.Tensor) => ({ shape: shape.slice(1), dtype: dtype as 'float32' | 'int32' });
  const data = { features: [rowSpec(x)], targets: [rowSpec(y)], sampleWeights: [false] };
  const rows = workload.batchSize;
  const trained = model.trainableWeights.reduce((sum, weight) => sum + sizeOf(weight.shape as number[]), 0);
  try {
    return {
      flops: countFlops(model, { ...data, rows }),
      parameterBytes: trained * 4,
      meetings: 1 + countStages(new StepCompiler(traceTraining, model, data), rows),
    };
  } finally {
    sequential.dispose();
    x.dispose();
    y.dispose();
  }
}

function countFlops(model: tf.LayersModel, data: Parameters<typeof traceTraining>[1]): number {
  const step = traceTraining(model, data);
  const outputs = step.outputs.map(({ value }) => value);
  const order = topologicalOrder(mergeOperations(lowerGraph(outputs, constants(step))));
  return order.reduce((sum, value) => sum + 2 * productsOf(value), 0);
}

/** Pieces of a shard's program, where the mini-batch is cut in two. */
function countStages(compiler: StepCompiler, batchRows: number): number {
  if (batchRows < 2) return 1;
  try {
    return compiler.compile(Math.ceil(batchRows / 2), { batchRows }).stages.length;
  } catch (error) {
    if (error instanceof NotPartitionable) return 1;
    throw error;
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
