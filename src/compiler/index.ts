export { compileEvaluationStep, compileTrainingStep, StepCompiler } from './compile.js';
export { NotPartitionable } from './partition/pairs.js';
export { traceEvaluation, traceTraining } from './trace/steps.js';
