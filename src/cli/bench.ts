import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { HEIGHT, speedupChart, WIDTH } from '../bench/report/chart.js';
import { scalingCsv } from '../bench/report/csv.js';
import { scalingReport } from '../bench/report/json.js';
import { measureScaling } from '../bench/scaling.js';
import { scalingPoints, workerCounts } from '../bench/scaling-plan.js';
import { scalingResult, type WorkloadResult } from '../bench/scaling-results.js';
import { stepWork } from '../bench/step-work.js';
import { FACTORIES, WORKLOADS, type WorkloadFactory } from '../bench/workloads/index.js';
import { writeOutput } from '../saved-model/write-output.js';
import { makeFolder } from '../saved-model/write-whole.js';
import { renderPng } from '../study/page/png.js';
import { renderSvg } from '../study/page/svg.js';
import type { BenchOptions } from './bench-command.js';
import { modelWorkload } from './bench-workload.js';
import type { Interruption } from './interruption.js';
import type { Output } from './output.js';
import { checkOutputFile } from './output-file.js';
import { benchHeader, benchLines } from './report/bench-lines.js';
import { UsageError } from './usage-error.js';

/** What `--batch-size` is for a model file. */
const MODEL_BATCH = 64;

/** Pixels of a PNG for each of the chart's: enough for dense screens and for print. */
const PNG_SCALE = 2;

/**
 * `shardfit bench`: measures the workloads one after the other, prints a table of each, and writes what was asked for. If it is
 * interrupted it writes nothing: half of the rounds would not be told from all.
 *
 * @throws UsageError if the model file is none that can be measured, or a file cannot be written.
 */
export async function benchCommandLine(options: BenchOptions, output: Output, { signal }: Interruption): Promise<void> {
  const { csv, json, charts } = options;
  for (const [flag, file] of Object.entries({ '--csv': csv, '--json': json })) {
    if (file !== undefined) await checkOutputFile(flag, file, { files: { '--model': options.model } });
  }
  if (charts !== undefined) await makeFolder(charts);
  // Before tfjs is first used: it would greet on stderr otherwise.
  tf.enableProdMode();
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores`;
  for (const line of benchHeader(machine, options)) output.line(line);
  try {
    const results = await measureAll(options, output, signal);
    await writeFiles(results, options, machine, output);
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    output.error('shardfit: stopped; no file was written');
  }
}

async function measureAll(options: BenchOptions, output: Output, signal: AbortSignal): Promise<WorkloadResult[]> {
  const results: WorkloadResult[] = [];
  for (const [factory, batchSize] of await workloadsOf(options)) {
    try {
      const result = await measure(factory, batchSize, options, output, signal);
      for (const line of benchLines(result)) output.line(line);
      results.push(result);
    } catch (error) {
      // A model that cannot be shared as asked for: the others can.
      if (!(error instanceof TypeError)) throw error;
      output.error(`shardfit: ${factory(batchSize, batchSize).name} is left out: ${error.message}`);
    }
  }
  if (results.length === 0) throw new UsageError('nothing was measured');
  return results;
}

async function writeFiles(
  results: WorkloadResult[],
  { csv, json, charts, rounds, seconds }: BenchOptions,
  machine: string,
  output: Output,
): Promise<void> {
  if (csv !== undefined) await writeOutput(csv, scalingCsv(results));
  if (json !== undefined) {
    const origin = { machine, node: process.version, date: new Date().toISOString(), rounds, seconds };
    await writeOutput(json, `${JSON.stringify(scalingReport(results, origin), null, 1)}\n`);
  }
  if (charts === undefined) return;
  for (const result of results) {
    const file = join(charts, `speedup-${result.name.replaceAll(/[^\w.-]+/g, '-').replace(/-$/, '')}`);
    const svg = renderSvg(speedupChart(result), WIDTH, HEIGHT);
    await writeOutput(`${file}.svg`, svg);
    await writeOutput(`${file}.png`, await renderPng(svg, PNG_SCALE));
    output.line(`Chart: ${file}.svg and .png`);
  }
}

async function workloadsOf({ model, workload, batchSize }: BenchOptions): Promise<[WorkloadFactory, number][]> {
  if (model !== undefined) return [[await modelWorkload(model), batchSize ?? MODEL_BATCH]];
  return [...new Set(workload)].map((name) => [FACTORIES[name], batchSize ?? WORKLOADS[name]]);
}

async function measure(
  factory: WorkloadFactory,
  batchSize: number,
  { workers, scaling, split, rounds, seconds }: BenchOptions,
  output: Output,
  signal: AbortSignal,
): Promise<WorkloadResult> {
  const example = factory(batchSize, batchSize);
  const points = scalingPoints(batchSize, workers ?? workerCounts(availableParallelism()), scaling);
  const work = stepWork(example);
  const onStep = (what: string) => {
    if (output.terminal) output.line(`${example.name}: ${what} ...`);
  };
  return scalingResult(
    example.name,
    work,
    await measureScaling(factory, points, work, { split, rounds, seconds, signal, onStep }),
  );
}
