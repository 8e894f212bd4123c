import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { fastestCoreType } from './openblas.js';
import type { Command } from './peer-process.js';

/** Somebody who trains the workloads. */
export interface Contender {
  name: string;
  /** The command for a task in a folder. */
  command(folder: string): Command;
  /** What it takes the mean and variance of batch norm over. */
  statistics: 'batch' | 'shard';
  /** Whether it is one to be compared with. */
  peer: boolean;
}

/** Those that are installed, and a note on each that is not. */
export interface Contenders {
  contenders: Contender[];
  notes: string[];
}

const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

export function findContenders(cores: number): Contenders {
  const notes: string[] = [];
  const use = (found: boolean, list: Contender[], note: string) => {
    if (!found) notes.push(note);
    return found ? list : [];
  };
  const torch = spawnSync(PYTHON, ['-c', 'import torch']).status === 0;
  const coreType = torch ? fastestCoreType(PYTHON) : undefined;
  if (coreType) notes.push(`PyTorch runs with OPENBLAS_CORETYPE=${coreType}: faster here than what OpenBLAS chooses`);
  const contenders = [
    ...shardfit(cores),
    ...use(
      torch,
      pytorch(cores, coreType),
      `no torch in ${PYTHON}: PyTorch is skipped (Debian: apt-get install python3-torch libopenblas0-pthread)`,
    ),
    tfjs('tfjs cpu', 'cpu'),
    ...use(
      isInstalled('@tensorflow/tfjs-backend-wasm'),
      [tfjs('tfjs wasm', 'wasm')],
      'no @tensorflow/tfjs-backend-wasm: tfjs wasm is skipped',
    ),
    ...use(
      isInstalled('@tensorflow/tfjs-node'),
      [tfjs('tfjs-node', 'tensorflow')],
      'no @tensorflow/tfjs-node: it is skipped',
    ),
  ];
  return { contenders, notes };
}

function shardfit(cores: number): Contender[] {
  const one = (name: string, workers: number | 'auto', statistics: 'batch' | 'shard'): Contender => ({
    ...{ name, statistics, peer: false },
    command: (folder) => script('shardfit-peer.ts', folder, `${workers}`, statistics),
  });
  if (cores === 1) return [one('shardfit, 1 worker', 1, 'batch')];
  const all = `shardfit, ${cores} workers`;
  return [
    one('shardfit', 'auto', 'batch'),
    one('shardfit, 1 worker', 1, 'batch'),
    one(all, cores, 'batch'),
    one(`${all}, 'shard'`, cores, 'shard'),
  ];
}

/** PyTorch's four ways of using the cores. */
function pytorch(cores: number, coreType?: string): Contender[] {
  const kernels: Record<string, string> = coreType ? { OPENBLAS_CORETYPE: coreType } : {};
  const one = (name: string, openmp: number, blas: number, processes = 1): Contender => ({
    ...{ name: `PyTorch, ${name}`, peer: true, statistics: processes > 1 ? 'shard' : 'batch' },
    command: (folder) => ({
      file: PYTHON,
      args: [fileURLToPath(new URL('pytorch.py', import.meta.url)), folder],
      env: {
        OMP_NUM_THREADS: `${openmp}`,
        OPENBLAS_NUM_THREADS: `${blas}`,
        PYTHONDONTWRITEBYTECODE: '1',
        ...kernels,
      },
      processes,
    }),
  });
  if (cores === 1) return [one('1 thread', 1, 1)];
  return [
    one('1 thread', 1, 1),
    one('BLAS threads', 1, cores),
    one('OpenMP threads', cores, 1),
    one('DDP', 1, 1, cores),
  ];
}

function tfjs(name: string, backend: string): Contender {
  const command = (folder: string) => script('tfjs-peer.ts', folder, backend);
  return { name, command, statistics: 'batch', peer: true };
}

function script(name: string, ...args: string[]): Command {
  const urlOf = (file: string) => new URL(file, import.meta.url);
  return {
    file: process.execPath,
    args: ['--import', urlOf('typescript.mjs').href, fileURLToPath(urlOf(name)), ...args],
  };
}

function isInstalled(library: string): boolean {
  try {
    createRequire(import.meta.url).resolve(library);
    return true;
  } catch {
    return false;
  }
}
