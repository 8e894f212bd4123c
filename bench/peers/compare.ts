import { FACTORIES, type Workload, type WorkloadName } from '../../src/bench/workloads/index.js';
import type { Contender } from './contenders.js';
import { differences, type LossDifference } from './loss-difference.js';
import { PeerProcess } from './peer-process.js';
import type { Checked, Measured } from './protocol.js';
import { removeTask, writeTask } from './task-folder.js';

/** First updates whose losses are compared. */
const CHECKED_UPDATES = 4;
/** A peer checks as many of them as it does in this time; whoever does one only is measured by it. In milliseconds. */
const CHECK_LIMIT = 1500;
/** Who takes longer for one answer is left out. In milliseconds. */
const PATIENCE = 20_000;
/** Who is this many times slower than the fastest is measured once: no noise is as large. */
const FAR_BEHIND = 10;

export interface Plan {
  workload: WorkloadName;
  batchSize: number;
  /** Mini-batches of the data set. */
  batches: number;
}

/** What was measured of one contender. */
export interface Result {
  name: string;
  peer: boolean;
  version: string;
  /** Updates of a round. */
  updates: number;
  /** Milliseconds per update, a round each. */
  rounds: number[];
  /** From the call of fit to the end of the first update, in milliseconds: of each round, and in a new process. */
  first: number[];
  firstInProcess: number;
  /** Most memory resident, of all its processes together, in bytes. */
  peakMemory: number | undefined;
}

export interface Comparison {
  name: string;
  results: Result[];
  differences: LossDifference[];
  /** Who could not do it, and why. */
  notes: string[];
}

/** A contender in the middle of it. */
interface Entry {
  contender: Contender;
  process: PeerProcess;
  checked: Checked;
  result: Result;
}

/**
 * Times one workload by all contenders, each in processes of its own that wait while others are measured.
 *
 * @param milliseconds of one round of one contender.
 */
export async function compare(
  plan: Plan,
  contenders: Contender[],
  rounds: number,
  milliseconds: number,
): Promise<Comparison> {
  const { workload: name, batchSize, batches } = plan;
  const workload = FACTORIES[name](batchSize, batchSize * batches);
  const folder = await writeTask(name, workload);
  const entries: Entry[] = [];
  const notes: string[] = [];
  const attempt = async (contender: Contender, work: () => Promise<void>) => {
    await work().catch((error: Error) => notes.push(`${contender.name} is left out: ${error.message}`));
  };
  try {
    const taking = contenders.filter((candidate) => takesPart(candidate, workload));
    // Together: nothing is timed yet.
    const started = taking.map(
      (contender) => [contender, PeerProcess.start(contender.command(folder), PATIENCE)] as const,
    );
    await Promise.allSettled(started.map(([, process]) => process));
    for (const [contender, process] of started) {
      await attempt(contender, async () => {
        entries.push(await check(contender, await process));
      });
    }
    const compared = differences(entries.map(({ contender, checked }) => ({ ...contender, losses: checked.losses })));
    for (const entry of entries) await attempt(entry.contender, () => warmUp(entry, milliseconds));
    const fastest = Math.min(...entries.flatMap(({ result }) => result.rounds));
    const timed = entries.filter(({ result }) => (result.rounds[0] as number) < FAR_BEHIND * fastest);
    for (const { result } of timed) result.rounds = [];
    for (let round = 0; round < rounds; round++) {
      // Each has every neighbour in turn.
      const first = round % Math.max(1, timed.length);
      const order = [...timed.slice(first), ...timed.slice(0, first)];
      for (const entry of order) await attempt(entry.contender, () => measure(entry));
    }
    for (const { process, result } of entries) result.peakMemory = process.peakMemory();
    const results = entries.map(({ result }) => result).filter((result) => result.rounds.length > 0);
    return { name: workload.name, results, differences: compared, notes };
  } finally {
    await Promise.all(entries.map(({ process }) => process[Symbol.asyncDispose]()));
    removeTask(folder);
  }
}

/** Statistics of each shard are something else only where there is a batch norm; PyTorch's DDP has no others on CPUs. */
function takesPart({ peer, statistics }: Contender, { name }: Workload): boolean {
  return peer || statistics === 'batch' || name.startsWith('residual CNN');
}

async function check(contender: Contender, process: PeerProcess): Promise<Entry> {
  try {
    const checked = await process.ask<Checked>({ check: CHECKED_UPDATES, limit: CHECK_LIMIT }, PATIENCE);
    const { name, peer } = contender;
    const { version } = process;
    const result = { name, peer, version, updates: 0, rounds: [], first: [], firstInProcess: checked.first };
    return { contender, process, checked, result: { ...result, peakMemory: undefined } };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

/** Chooses how many updates make a round, and measures a first one, which is all there is of the slow. */
async function warmUp({ process, checked, result }: Entry, milliseconds: number): Promise<void> {
  const last = checked.milliseconds.at(-1) as number;
  result.updates = 1;
  if (last > milliseconds) {
    result.rounds = [last];
    return;
  }
  const guess = Math.max(1, Math.round(milliseconds / 3 / last));
  const { training, updates } = await process.ask<Measured>({ run: guess }, PATIENCE);
  result.rounds = [training / updates];
  result.updates = Math.max(1, Math.round((milliseconds * updates) / training));
}

async function measure({ process, result }: Entry): Promise<void> {
  const { training, updates, first } = await process.ask<Measured>({ run: result.updates }, PATIENCE);
  result.rounds.push(training / updates);
  result.first.push(first);
}
