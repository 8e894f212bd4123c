/** A workload as files, so that every peer starts from the same weights and trains on the same rows. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { WorkloadName } from '../../src/bench/workloads/index.js';
import { FACTORIES, type Workload } from '../../src/bench/workloads/index.js';

interface TensorFile {
  /** Of a weight: `conv1/kernel`. */
  name: string;
  shape: number[];
  dtype: 'float32' | 'int32';
  file: string;
}

/** What stands in `task.json`. */
export interface Task {
  workload: WorkloadName;
  batchSize: number;
  rows: number;
  learningRate: number;
  momentum: number;
  weights: TensorFile[];
  x: TensorFile;
  y: TensorFile;
}

/** Folders that are still there. */
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) removeTask(folder);
});

/** Writes the task into a new folder, which the caller removes with `removeTask`. */
export async function writeTask(name: WorkloadName, workload: Workload): Promise<string> {
  await tf.setBackend('cpu');
  const folder = mkdtempSync(join(tmpdir(), 'shardfit-peers-'));
  folders.add(folder);
  const save = (tensor: tf.Tensor, tensorName: string, file: string): TensorFile => {
    const dtype = tensor.dtype as TensorFile['dtype'];
    // Not the bytes that tfjs has: what was cast to float32 may still be kept as integers.
    const data = (dtype === 'int32' ? Int32Array : Float32Array).from(tensor.dataSync());
    writeFileSync(join(folder, file), new Uint8Array(data.buffer));
    return { name: tensorName, shape: tensor.shape, dtype, file };
  };
  const model = workload.build();
  const { x, y } = workload.data();
  const { batchSize, rows, learningRate, momentum } = workload;
  const task: Task = {
    ...{ workload: name, batchSize, rows, learningRate, momentum },
    weights: model.weights.map((weight, i) => save(weight.read(), nameOf(weight.originalName), `weight${i}`)),
    x: save(x, 'x', 'x'),
    y: save(y, 'y', 'y'),
  };
  writeFileSync(join(folder, 'task.json'), JSON.stringify(task));
  model.dispose();
  tf.dispose([x, y]);
  return folder;
}

export function removeTask(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
}

/** A task read back, for peers that train tfjs models. */
export interface TfjsTask {
  task: Task;
  x: tf.Tensor;
  y: tf.Tensor;
  /** A model with the initial weights. */
  build(): tf.LayersModel;
}

/** Reads a task on the backend in use. */
export function readTask(folder: string): TfjsTask {
  const task = JSON.parse(readFileSync(join(folder, 'task.json'), 'utf8')) as Task;
  const load = ({ file, shape, dtype }: TensorFile) => {
    const { buffer } = Uint8Array.from(readFileSync(join(folder, file)));
    return tf.tensor(dtype === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer), shape, dtype);
  };
  const weights = task.weights.map(load);
  const workload = FACTORIES[task.workload](task.batchSize, task.rows);
  const build = () => {
    const model = workload.build();
    model.setWeights(weights);
    return model;
  };
  return { task, x: load(task.x), y: load(task.y), build };
}

/** `lstm1/kernel` of `lstm1/lstm_cell/kernel`: layers inside of layers have names of their own making. */
function nameOf(weight: string): string {
  const parts = weight.split('/');
  return `${parts[0]}/${parts.at(-1)}`;
}
