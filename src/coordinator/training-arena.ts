import { Arena, ELEMENT_BYTES, FLOAT_BYTES, LayoutBuilder } from '../common/arena.js';
import { CONTROL_WORDS } from '../common/control.js';
import { copyValues } from '../common/copy.js';
import { slotLength } from '../common/exchanges.js';
import { clipsByNorm, normBlocks } from '../common/norm-blocks.js';
import { type Optimizer, slotsOf } from '../common/optimizers/index.js';
import { LINE, type ParameterLayout } from '../common/parameters.js';
import { placeInputs } from '../common/placed-inputs.js';
import type { StepProgram } from '../common/program.js';
import type { Column, DataSet } from '../common/protocol.js';
import { sizeOf } from '../common/shapes.js';
import { tapeWords } from '../common/tape.js';
import { pushedGradients, stagedWeights } from '../common/transport.js';
import { keepsOwnWeights } from '../common/update-rules.js';
import { FIRST_FREE_BYTE } from '../kernels/kernels.js';
import { takeMemory } from './arena-memory.js';
import type { Rows } from './data-in.js';
import type { MatchedData } from './match-data.js';
import type { ResolvedOptions } from './options.js';

/** Room for loss and metrics of short epochs in a row: this, too, limits how many (`EpochsInARow`). */
const FEWEST_LOGS = 1 << 17;

/** A place for rows. */
export interface Room {
  /** Segments are called by it. */
  name: string;
  /** Rows of the form that they will have. */
  like: MatchedData;
  /** How many fit in. */
  rows: number;
}

/** Reserves one shared memory for all that the threads share. */
export function buildArena(
  parameters: ParameterLayout,
  optimizer: Optimizer,
  options: ResolvedOptions,
  programs: StepProgram[],
  logCount: number,
  { rooms, steps, shuffledRows }: { rooms: Room[]; steps: number; shuffledRows: number },
): { arena: Arena; dataSets: DataSet[] } {
  const layout = new LayoutBuilder(FIRST_FREE_BYTE);
  const { workers, shards, split } = options;
  const shuffledBatch = Math.min(options.batchSize, shuffledRows);
  const gradientSlots = split === 'units' ? 1 : shards;
  const gatheredRows = split === 'units' ? shuffledBatch : Math.ceil(shuffledBatch / shards);
  layout
    .add('control', 'int32', CONTROL_WORDS)
    .add('weights', 'float32', parameters.length)
    .add('slots', 'float32', optimizerStates(options).count * slotsOf(optimizer) * parameters.trainedEnd)
    // The sum over the mini-batches of an update.
    .add('accumulator', 'float32', options.gradientAccumulationSteps > 1 ? parameters.replacedEnd : 0)
    .add('gradients', 'float32', gradientSlots * parameters.replacedEnd)
    .add('exchange', 'float32', shards * slotLength(programs))
    .add('logs', 'float32', Math.max(steps * shards * logCount, FEWEST_LOGS))
    .add('permutation', 'int32', shuffledRows)
    // Doubles, two words each.
    .add('squares', 'float32', clipsByNorm(optimizer) ? 2 * workers * normBlocks(parameters).length : 0);
  const tapes = programs.map(({ tape }) => tape);
  for (let rank = 0; rank < workers; rank++) {
    layout.add(`gradientSlots${rank}`, 'int32', gradientSlots + 1);
    layout.add(`pushedSlots${rank}`, 'int32', gradientSlots + 1);
    layout.add(`partSlots${rank}`, 'int32', shards);
    layout.add(`staged${rank}`, 'float32', stagedWeights(parameters, options, optimizer));
    layout.add(`totals${rank}`, 'float32', largestTotal(programs));
    // Bytes, whatever the rows are: where a worker puts the rows of a shard together (see `Gatherer`).
    layout.add(`rows${rank}`, 'bool', gatheredRows * mostRowBytes(rooms));
    // Where programs read them, if that can be in the arena; rows in the order of the data set are copied in one go.
    layout.add(`inputs${rank}`, 'bool', shuffledRows > 0 ? mostInputBytes(programs) : 0);
    layout.add(`random${rank}`, 'float32', mostRandomNumbers(programs));
    layout.add(`tape${rank}`, 'float32', tapeWords(tapes, shards));
    // Weights read whole must not change under the reader's hands, and a local replica is another vector altogether.
    const ownWeights = tapes.some((tape) => tape) && keepsOwnWeights(options.rule);
    layout.add(`tapeWeights${rank}`, 'float32', ownWeights ? parameters.length : 0);
  }
  addRuleSegments(layout, parameters, options, steps);
  const dataSets = rooms.map((room) => addDataSet(layout, room));
  // The last: all is well without, if there is no room for it.
  const pushed = pushedGradients(parameters, options, optimizer);
  layout.add('pushed', 'float32', layout.hasRoomFor(pushed * FLOAT_BYTES) ? pushed : 0);
  const built = layout.build();
  return { arena: new Arena(takeMemory(built.bytes), built), dataSets };
}

/** Optimizer states that the rule keeps, and whose they are. */
export function optimizerStates({ rule, speeds, workers, shards }: ResolvedOptions): {
  count: number;
  arrangement: string;
} {
  if (rule.kind === 'local') return { count: shards, arrangement: 'one a replica' };
  if (rule.kind === 'hogwild' && rule.momentum === 'private') {
    return { count: speeds ? shards : workers, arrangement: 'one a worker' };
  }
  return { count: 1, arrangement: 'one for all' };
}

function addRuleSegments(
  layout: LayoutBuilder,
  { trainedEnd, replacedEnd }: ParameterLayout,
  { rule, workers, shards }: ResolvedOptions,
  steps: number,
): void {
  const asynchronous = rule.kind === 'per-shard' || rule.kind === 'hogwild';
  const replicas = rule.kind === 'local' ? shards : 0;
  layout
    .add('clocks', 'int32', workers * LINE)
    .add('staleness', 'int32', asynchronous ? steps * shards : 0)
    .add('replicas', 'float32', replicas * replacedEnd)
    .add('replicaRows', 'int32', replicas)
    .add('outerVelocity', 'float32', rule.kind === 'local' ? trainedEnd : 0);
  for (let rank = 0; rank < workers; rank++) layout.add(`shares${rank}`, 'float32', replicas);
}

/** Values of the largest total that kernels put together, with a cache line behind it: kernels write whole vectors. */
function largestTotal(programs: StepProgram[]): number {
  const sizes = programs.flatMap(({ exchanges, unitShards = 1 }) =>
    exchanges.map(({ shape, collective: { kind } }) => {
      if (kind === 'all-reduce') return 0;
      return (kind === 'all-gather' ? sizeOf(shape) * unitShards : sizeOf(shape) / unitShards) + LINE;
    }),
  );
  return Math.max(0, ...sizes);
}

function mostInputBytes(programs: StepProgram[]): number {
  return Math.max(0, ...programs.map((program) => placeInputs(program).bytes));
}

/** Bytes of the longest row of any column of any room. */
function mostRowBytes(rooms: Room[]): number {
  const columns = rooms.flatMap(({ like }) => [...like.features, ...like.targets, ...like.sampleWeights]);
  return Math.max(
    0,
    ...columns.map((column) => (column ? sizeOf(column.shape.slice(1)) * ELEMENT_BYTES[column.dtype] : 0)),
  );
}

/** Numbers that the simulated speeds of one shard need. */
const SPEED_NUMBERS = 2;

function mostRandomNumbers(programs: StepProgram[]): number {
  const sizes = programs.flatMap(({ inputs, unitShards = 1 }) =>
    inputs
      .filter(({ role }) => role.kind === 'uniform')
      .map(({ role, shape }) => sizeOf(shape) * ('cutAxis' in role ? unitShards : 1)),
  );
  return Math.max(SPEED_NUMBERS, ...sizes);
}

function addDataSet(layout: LayoutBuilder, { name, like, rows }: Room): DataSet {
  const add = (kind: string, { shape, dtype }: Rows, i: number): Column => {
    const segment = `${name}.${kind}${i}`;
    const rowSize = sizeOf(shape.slice(1));
    layout.add(segment, dtype, rows * rowSize);
    return { segment, dtype, rowSize };
  };
  return {
    rows,
    features: like.features.map((column, i) => add('x', column, i)),
    targets: like.targets.map((column, i) => add('y', column, i)),
    sampleWeights: like.sampleWeights.map((column, i) => column && add('w', column, i)),
  };
}

/** Copies rows into their places in the arena, from row `at` of it on. */
export function putRows(arena: Arena, { features, targets, sampleWeights }: DataSet, data: MatchedData, at = 0): void {
  const copy = (columns: (Column | undefined)[], list: (Rows | undefined)[]) => {
    columns.forEach((column, i) => {
      if (column) copyValues((list[i] as Rows).data, arena.array(column.segment), at * column.rowSize);
    });
  };
  copy(features, data.features);
  copy(targets, data.targets);
  copy(sampleWeights, data.sampleWeights);
}
