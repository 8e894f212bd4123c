import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { sha256, weightBytes } from '../saved-model/weight-bytes.js';
import { writeOutput } from '../saved-model/write-output.js';
import { pointName, pointsOf, type StudyPoint } from './grid.js';
import { Journal, type JournalHeader } from './journal.js';
import type { StudyOptions, StudyProgress } from './options.js';
import { planOf, type StudyPlan } from './plan.js';
import { finalLoss, type StudyRecord } from './record.js';
import { studyCsv } from './report/csv.js';
import { studyPage } from './report/study-page.js';
import { type Comparison, StudyResults } from './results.js';
import { runPoint, type StudyTask } from './run-point.js';

/** What trainings of one kind came to by the learning rate that suits them best: means over the seeds. */
export interface StudyComparison {
  /** Rule and who trained by it: `sync, 2 threads`. */
  name: string;
  batchSize: number;
  learningRate: number;
  /** After the last epoch, on the validation rows where there are any; null if it is not finite. */
  loss: number | null;
  updates: number;
  /** Of training; null for simulated workers, which have no time of their own. */
  seconds: number | null;
  /** Of training until the target loss was reached; null, too, unless all trainings reached it. */
  secondsToTarget: number | null;
}

/** What a study came to. */
export interface StudySummary {
  /** Trainings that are done, and their number in the whole grid. */
  done: number;
  total: number;
  /** Loss whose time of arrival the report compares. */
  targetLoss: number;
  /** In the order of rules, workers and batch sizes. */
  comparisons: StudyComparison[];
  /** Paths of the report and the table. */
  report: string;
  csv: string;
}

/**
 * Trains a model over and over: every update rule with every batch size, number of workers and learning rate, each with
 * several seeds, one after the other. Writes a page that compares them (`report.html`) and a table (`runs.csv`).
 *
 * A journal in the folder holds every training that is done, so that a study that was stopped goes on where it was.
 *
 * @throws TypeError or RangeError for options that cannot be studied; StudyError if the folder holds another study.
 * @throws the signal's reason once it has ended the study; the report then shows what is done.
 */
export async function study(task: StudyTask, options: StudyOptions): Promise<StudySummary> {
  const plan = planOf(options);
  const points = pointsOf(plan);
  const { signal, onProgress, folder, targetLoss } = options;
  await using journal = await Journal.open<StudyRecord>(folder, await headerOf(task, plan));
  const open = withoutDone(points, journal.entries);
  const pace = paceOf(points.length, points.length - open.length);
  onProgress?.(pace());
  try {
    for (const point of open) {
      signal?.throwIfAborted();
      const record = await runPoint(task, plan, point, signal);
      await journal.add(record);
      onProgress?.(pace(record));
    }
  } catch (error) {
    if (signal?.aborted && journal.entries.length > 0) await write(task, plan, journal.entries, points, options);
    throw error;
  }
  return write(task, plan, journal.entries, points, { folder, ...(targetLoss !== undefined && { targetLoss }) });
}

/** What must be the same for a study to go on. The number of epochs to come and the order of lists are part of it. */
async function headerOf({ name, description, createModel, x, y }: StudyTask, plan: StudyPlan): Promise<JournalHeader> {
  const { optimizer, ruleOptions, ...rest } = plan;
  const model = await createModel(plan.seeds[0] as number);
  const initialWeights = sha256(weightBytes(model));
  model.dispose();
  const bytesOf = async (tensor: tf.Tensor) => sha256(new Uint8Array((await tensor.data()).slice().buffer));
  const rows = { x: await bytesOf(x), y: await bytesOf(y) };
  return {
    journal: 'shardfit study, version 1',
    data: name,
    model: description,
    ...rest,
    ...optimizer,
    ...ruleOptions,
    initialWeights,
    rows,
  };
}

function withoutDone(points: StudyPoint[], records: StudyRecord[]): StudyPoint[] {
  const done = new Set(records.map(({ point }) => pointName(point)));
  return points.filter((point) => !done.has(pointName(point)));
}

/** Counts trainings and says how long the rest will take. */
function paceOf(total: number, found: number): (record?: StudyRecord) => StudyProgress {
  const started = performance.now();
  let done = found;
  return (record) => {
    if (!record) return { done, total, found };
    done++;
    const each = (performance.now() - started) / 1000 / (done - found);
    return {
      done,
      total,
      found,
      last: pointName(record.point),
      loss: finalLoss(record),
      secondsLeft: each * (total - done),
    };
  };
}

async function write(
  task: StudyTask,
  plan: StudyPlan,
  records: StudyRecord[],
  points: StudyPoint[],
  { folder, targetLoss }: Pick<StudyOptions, 'folder' | 'targetLoss'>,
): Promise<StudySummary> {
  const results = new StudyResults(plan, records, points.length, targetLoss);
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores; Node ${process.version}`;
  const [report, csv] = [join(folder, 'report.html'), join(folder, 'runs.csv')];
  await writeOutput(csv, studyCsv(results));
  await writeOutput(report, studyPage(task, results, { machine, tfjs: tf.version.tfjs }));
  const comparisons = results.comparisons().map(summarize);
  return { done: records.length, total: points.length, targetLoss: results.target, comparisons, report, csv };
}

function summarize({ series, batchSize, learningRate, loss, updates, seconds, arrival }: Comparison): StudyComparison {
  const isTimed = series.crew.kind === 'threads';
  return {
    ...{ name: series.name, batchSize, learningRate, updates },
    loss: Number.isFinite(loss) ? loss : null,
    seconds: isTimed ? seconds : null,
    secondsToTarget: isTimed && arrival.reached === arrival.of ? arrival.seconds : null,
  };
}
