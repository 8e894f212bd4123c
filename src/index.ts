export { type EarlyStoppingOptions, earlyStopping } from './callbacks/early-stopping.js';
export { type ModelCheckpointOptions, modelCheckpoint } from './callbacks/model-checkpoint.js';
export type { MonitorOptions } from './callbacks/monitor.js';
export { type ReduceLROnPlateauOptions, reduceLROnPlateau } from './callbacks/reduce-lr-on-plateau.js';
export {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  cosineDecay,
  exponentialDecay,
  type GradientOptions,
  type LearningRate,
  type Optimizer,
  oneCycle,
  rmsprop,
  type Schedule,
  type SgdOptions,
  sgd,
  stepDecay,
  warmUp,
} from './common/optimizers/index.js';
export type { BatchDataset, DatasetBatch } from './coordinator/batch-reader.js';
export type { ArrayInput, NestedArray, TensorInput } from './coordinator/data-in.js';
export { type EvaluateOptions, evaluate } from './coordinator/evaluate.js';
export { type EvaluateDatasetOptions, evaluateDataset } from './coordinator/evaluate-dataset.js';
export { type FitHistory, fit } from './coordinator/fit.js';
export { type FitDatasetOptions, fitDataset } from './coordinator/fit-dataset.js';
export type { FitOptions, Progress } from './coordinator/options.js';
export { type PredictOptions, predict } from './coordinator/predict.js';
export type { Milestone, RunSummary, StalenessSummary, ThreadSummary } from './coordinator/run-summary.js';
export type { ClassWeight, SampleWeight } from './coordinator/sample-weights.js';
export { Trainer, type TrainerOptions } from './coordinator/trainer.js';
export { readIdx, readNpy } from './data/arrays/read-array.js';
export { exportOnnx } from './saved-model/export-onnx.js';
export { loadModel, modelFolder, type SavedModel } from './saved-model/load-model.js';
export type { PredictRowsOptions, RawRows } from './saved-model/predict.js';
export type { Preprocessing } from './saved-model/preprocessing.js';
export { saveModel } from './saved-model/save-model.js';
export { type ExplainOptions, explain } from './study/explain/explain.js';
export type { BatchSizeRun, ExplainedRun, Explanation, ThreadsRun } from './study/explain/explanation.js';
export type { StudyOptions, StudyProgress } from './study/options.js';
export type { StudyTask } from './study/run-point.js';
export { type StudyComparison, type StudySummary, study } from './study/study.js';
