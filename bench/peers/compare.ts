import { FACTORIES, NORMALIZED, type WorkloadName } from '../../src/bench/workloads/index.js';
import type { Contender } from './contenders.js';
import { differences, type LossDifference } from './loss-difference.js';
import { PeerProcess } from './peer-process.js';
import type { Checked, Measured } from './protocol.js';
import { removeTask, writeTask } from './task-folder.js';

/** First updates whose losses are compared. */
const CHECKED_UPDATES = 4;
/** A peer checks as many of them as it does in this time; whoever does one only is measured by it. In milliseconds. */
const CHECK_LIMIT = 1500;
/** Who takes longer to start, or for one answer, which is longer where rounds are, is left out. In milliseconds. */
const START_PATIENCE = 120_000;
const PATIENCE = 20_000;

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
  const taking = contenders.filter((candidate) => takesPart(candidate, name));
  // Together: nothing is timed yet.
  const starting = taking.map((contender) => PeerProcess.start(contender.command(folder), START_PATIENCE));
  const entries: Entry[] = [];
  const notes: string[] = [];
  const attempt = async (contender: Contender, work: () => Promise<unknown>) => {
    await work().catch((error: Error) => notes.push(`${contender.name} is left out: ${error.message}`));
  };
  try {
    await Promise.allSettled(starting);
    for (const [i, contender] of taking.entries()) {
      await attempt(contender, async () => entries.push(await check(contender, (await starting[i]) as PeerProcess)));
    }
    const compared = differences(entries.map(({ contender, checked }) => ({ ...contender, losses: checked.losses })));
    for (const entry of entries) await attempt(entry.contender, () => warmUp(entry, milliseconds));
    const timed = entries.filter(({ result }) => result.updates > 0);
    for (let round = 0; round < rounds; round++) {
      for (const entry of rotated(timed, round)) await attempt(entry.contender, () => measure(entry, milliseconds));
    }
    for (const { process, result } of entries) result.peakMemory = process.peakMemory();
    const results = entries.map(({ result }) => result).filter((result) => result.rounds.length > 0);
    return { name: workload.name, results, differences: compared, notes };
  } finally {
    await Promise.allSettled(starting.map(async (process) => (await process)[Symbol.asyncDispose]()));
    removeTask(folder);
  }
}

/** The list from another one on every second round, and backwards in between, so that not the same is always behind the same. */
function rotated<T>(list: T[], round: number): T[] {
  const first = Math.floor(round / 2) % Math.max(1, list.length);
  const turned = [...list.slice(first), ...list.slice(0, first)];
  return round % 2 ? turned.reverse() : turned;
}

/** Statistics of each shard are something else only where there is a batch norm; PyTorch's DDP has no others on CPUs. */
function takesPart({ peer, statistics }: Contender, workload: WorkloadName): boolean {
  return peer || statistics === 'batch' || NORMALIZED.has(workload);
}

/** For a round, which may take longer than it did in the warm-up. */
function patience(milliseconds: number): number {
  return Math.max(PATIENCE, 5 * milliseconds);
}

/** Asks for the first losses. */
async function check(contender: Contender, process: PeerProcess): Promise<Entry> {
  const checked = await process.ask<Checked>({ check: CHECKED_UPDATES, limit: CHECK_LIMIT }, PATIENCE);
  const { name, peer } = contender;
  const { version } = process;
  const result = { name, peer, version, updates: 0, rounds: [], first: [], firstInProcess: checked.first };
  return { contender, process, checked, result: { ...result, peakMemory: undefined } };
}

/** Chooses how many updates make a round. Of those that take longer for one, there is what the check measured. */
async function warmUp({ process, checked, result }: Entry, milliseconds: number): Promise<void> {
  const last = checked.milliseconds.at(-1) as number;
  if (last > milliseconds) {
    result.rounds = [last];
    return;
  }
  const guess = Math.max(1, Math.round(milliseconds / 3 / last));
  const { training, updates } = await process.ask<Measured>({ run: guess }, patience(milliseconds));
  result.updates = Math.max(1, Math.round((milliseconds * updates) / training));
}

async function measure({ process, result }: Entry, milliseconds: number): Promise<void> {
  const { training, updates, first } = await process.ask<Measured>({ run: result.updates }, patience(milliseconds));
  result.rounds.push(training / updates);
  result.first.push(first);
}
