import type * as tf from '@tensorflow/tfjs';
import type { StepProgram } from '../common/program.js';
import { sizeOf } from '../common/shapes.js';
import type { Split } from '../common/shards.js';
import { constants } from '../compiler/compile.js';
import { fitToSizes, forRuntime, lowerGraph } from '../compiler/graph/lower.js';
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
  /** What shards exchange, by what they share. */
  exchange: Record<Split, ExchangeWork>;
}

export interface ExchangeWork {
  /** Times that workers meet: at the end, where they share rows before the update, and wherever one needs what others have. */
  meetings: number;
  /** Bytes that each shard leaves for others in the middle of a step. */
  bytes: number;
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
      exchange: exchangeWork(new StepCompiler(traceTraining, model, data), rows),
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
  const order = topologicalOrder(forRuntime(fitToSizes(lowerGraph(outputs, constants(step)))));
  return order.reduce((sum, value) => sum + 2 * productsOf(value), 0);
}

/** Of a mini-batch that two shards share. Where its units cannot be shared, as for rows. */
function exchangeWork(compiler: StepCompiler, batchRows: number): StepWork['exchange'] {
  const cut = Math.ceil(batchRows / 2);
  const byRows = batchRows < 2 ? undefined : exchangeOf(() => compiler.compile(cut, { batchRows }));
  const rows = byRows ? { ...byRows, meetings: byRows.meetings + 1 } : { meetings: 2, bytes: 0 };
  return { rows, units: exchangeOf(() => compiler.compileUnits(batchRows, 2).program()) ?? rows };
}

function exchangeOf(compile: () => StepProgram): ExchangeWork | undefined {
  try {
    const { stages, exchanges } = compile();
    return { meetings: stages.length, bytes: 4 * exchanges.reduce((sum, { shape }) => sum + sizeOf(shape), 0) };
  } catch (error) {
    if (error instanceof NotPartitionable) return undefined;
    throw error;
  }
}
