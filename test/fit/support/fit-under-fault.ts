import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Outcome {
  name?: string;
  message?: string;
  took: number;
  sha256: string;
  usable: boolean;
  threads: number;
}

const file = (name: string) => new URL(`./${name}`, import.meta.url);

/** Runs a fit in a process of its own. The process must end by itself: an abort of it is an error here. */
export async function fitUnderFault(fault: string, epochs = 4): Promise<Outcome> {
  const args = ['--import', file('faulty-thread.mjs').href, fileURLToPath(file('fit-in-child.mjs')), `${epochs}`];
  const env = { ...process.env, FAULT: fault, NODE_OPTIONS: '' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 30_000 });
  return JSON.parse(stdout);
}
