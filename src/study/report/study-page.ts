import { crewName, crewsOf } from '../grid.js';
import type { Page } from '../page/figure.js';
import { grouped, short } from '../page/numbers.js';
import { renderPage } from '../page/render.js';
import type { StudyResults } from '../results.js';
import type { StudyTask } from '../run-point.js';
import { targetFigures, updatesFigure } from './bars.js';
import { curveFigures, lossName } from './curves.js';
import { findingsOf } from './findings.js';
import { heatFigure } from './heat.js';
import { spreadFigure } from './spread.js';
import { stalenessFigure } from './staleness.js';

/** Where a study was made. */
export interface Origin {
  machine: string;
  tfjs: string;
}

/** The report of a study as one file. */
export function studyPage(
  task: Pick<StudyTask, 'name' | 'description'>,
  results: StudyResults,
  origin: Origin,
): string {
  const figures = [
    ...curveFigures(results),
    ...targetFigures(results),
    updatesFigure(results),
    stalenessFigure(results),
    spreadFigure(results),
    heatFigure(results),
  ].filter((figure) => figure !== undefined);
  const page: Page = {
    title: `Synchronous or per shard? A study on ${task.name}`,
    lead: leadOf(results),
    facts: factsOf(task, results, origin),
    findings: findingsOf(results),
    figures,
  };
  return renderPage(page);
}

function leadOf({ records, total }: StudyResults): string[] {
  const stopped = `This study was stopped: it shows ${records.length} of ${total} trainings. The same command goes on with it.`;
  return [
    'Does a batch size mean that many updates in parallel? In sync, the way of Keras, it does not: one mini-batch makes one update, ' +
      'and workers share the work on it. This page compares that with rules in which every shard of a mini-batch updates on its own ' +
      '(per-shard: one at a time; hogwild: without locks) and with replicas that are averaged now and then (local).',
    ...(records.length < total ? [stopped] : []),
  ];
}

function factsOf(
  { name, description }: Pick<StudyTask, 'name' | 'description'>,
  results: StudyResults,
  { machine, tfjs }: Origin,
): [string, string][] {
  const { plan, records, total } = results;
  const { momentum, nesterov, decay } = plan.optimizer;
  const options = Object.entries(plan.ruleOptions).filter(([, value]) => value !== undefined);
  const seconds = records.reduce((sum, record) => sum + record.seconds, 0);
  return [
    ['Data', `${name}, ${grouped(records[0]?.rows ?? 0)} rows to train on`],
    ['Model', description],
    ['Optimizer', `SGD, momentum ${momentum}${nesterov ? ' (Nesterov)' : ''}, decay ${decay}; ${plan.epochs} epochs`],
    ['Rules', `${plan.rules.join(', ')}${options.map(([option, value]) => `; ${option} ${value}`).join('')}`],
    ['Batch sizes', plan.batchSizes.join(', ')],
    ['Workers', crewsOf(plan).map(crewName).join(', ')],
    ['Learning rates', plan.learningRates.join(', ')],
    [
      'Trainings',
      `${records.length} of ${total}, ${plan.seeds.length} seeds each, ${short(seconds)} s of training in all`,
    ],
    ['Target loss', `${short(results.target)} (${lossName(results)})`],
    ['Machine', `${machine}; TensorFlow.js ${tfjs}`],
  ];
}
