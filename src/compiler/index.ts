export {
  type CompilerOptions,
  compileConstraints,
  compileEvaluationStep,
  compilePrediction,
  compileTrainingStep,
  StepCompiler,
} from './compile.js';
export { innerModel } from './inner-model.js';
export { NotPartitionable } from './partition/pairs.js';
export type { BatchStatistics } from './partition/shard-program.js';
export { encodePrediction } from './prediction.js';
export { swapMethod } from './trace/layers.js';
export { NotTraceable } from './trace/not-traceable.js';
export { traceEvaluation, traceTraining } from './trace/steps.js';
