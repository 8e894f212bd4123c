/** Which of OpenBLAS' kernels PyTorch is fastest with. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** By their `OPENBLAS_CORETYPE`. Processors newer than an OpenBLAS may get others than those that are fastest there. */
const CORE_TYPES = ['SkylakeX', 'Haswell', 'Zen'];
/** OpenBLAS' own choice is kept unless another is this many times as fast. */
const CLEARLY = 1.15;

/** The setting for `python`, if another one than OpenBLAS' own choice is clearly faster; what is set already stays. */
export function fastestCoreType(python: string): string | undefined {
  if (process.env.OPENBLAS_CORETYPE !== undefined) return undefined;
  const own = layerTime(python, {});
  const times = CORE_TYPES.map((type) => ({ type, time: layerTime(python, { OPENBLAS_CORETYPE: type }) }));
  const fastest = times.reduce((a, b) => (b.time < a.time ? b : a));
  return fastest.time * CLEARLY < own ? fastest.type : undefined;
}

/** In milliseconds, on one thread; infinite where it does not run, as where a processor lacks an instruction. */
function layerTime(python: string, env: Record<string, string>): number {
  const script = fileURLToPath(new URL('layer_time.py', import.meta.url));
  const threads = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const { status, stdout } = spawnSync(python, [script], {
    env: { ...process.env, ...threads, ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return status === 0 ? Number(stdout) : Number.POSITIVE_INFINITY;
}
