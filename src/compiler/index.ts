export { compileEvaluationStep, compileTrainingStep } from './compile.js';
