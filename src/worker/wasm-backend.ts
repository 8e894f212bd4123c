/**
 * tfjs' wasm backend for the engine 'tfjs', where the user has installed it: several times as fast as cpu, but without all kernels.
 * Kernels of cpu stand in for those that it lacks or has wrong, one call at a time, so that any model runs that runs on cpu.
 */
import * as tf from '@tensorflow/tfjs';

/**
 * Wrong in 4.22: `MaxPoolGrad` where a window has no positive value; the gradients of `Conv3D`, which add to memory that they do not
 * clear. All layers of tfjs were compared with cpu; `test/compiler/wasm-backend.test.ts` does it again.
 */
const WRONG = new Set(['MaxPoolGrad', 'Conv3DBackpropFilterV2', 'Conv3DBackpropInputV2']);

interface Data {
  dataId: object;
  shape: number[];
  dtype: tf.DataType;
}

type Kernel = NonNullable<ReturnType<typeof tf.getKernel>>;
type Arguments = Parameters<Kernel['kernelFunc']>[0];

/** A backend with what its kernels need of it. */
interface Backend {
  write(values: unknown, shape: number[], dtype: string): object;
  readSync(dataId: object): unknown;
  disposeData(dataId: object, force?: boolean): boolean;
}

let found: Promise<boolean> | undefined;

/** Makes wasm the backend of tfjs in this thread, or cpu if there is no such package beside the tfjs in use. */
export async function useFastestBackend(): Promise<void> {
  found ??= findWasm();
  await tf.setBackend((await found) ? 'wasm' : 'cpu');
}

async function findWasm(): Promise<boolean> {
  try {
    // Not a dependency: the compiler must not look for it.
    await import('@tensorflow/tfjs-backend-wasm' as string);
    // Of another copy of tfjs, it is not to be found here.
    if (!tf.findBackendFactory('wasm') || !(await tf.setBackend('wasm'))) return false;
  } catch {
    return false;
  }
  completeKernels();
  return true;
}

/** Lets kernels of cpu do what those of wasm cannot, or do wrong. */
function completeKernels(): void {
  const own = new Map(tf.getKernelsForBackend('wasm').map((kernel) => [kernel.kernelName, kernel]));
  for (const kernel of tf.getKernelsForBackend('cpu')) {
    const { kernelName } = kernel;
    const wasm = own.get(kernelName);
    const onCpu = (call: Arguments) => runOnCpu(kernel, call);
    if (wasm) tf.unregisterKernel(kernelName, 'wasm');
    const kernelFunc = wasm && !WRONG.has(kernelName) ? orElse(wasm, onCpu) : onCpu;
    tf.registerKernel({ ...(wasm ?? {}), kernelName, backendName: 'wasm', kernelFunc });
  }
}

/** Some kernels of wasm refuse types or options that those of cpu take. */
function orElse({ kernelFunc }: Kernel, onCpu: Kernel['kernelFunc']): Kernel['kernelFunc'] {
  return (call) => {
    try {
      return kernelFunc(call);
    } catch {
      return onCpu(call);
    }
  };
}

function runOnCpu({ kernelFunc }: Kernel, { inputs, attrs, backend }: Arguments): ReturnType<Kernel['kernelFunc']> {
  const [cpu, wasm] = [tf.findBackend('cpu') as unknown as Backend, backend as Backend];
  const across = ({ dataId, shape, dtype }: Data, from: Backend, to: Backend): Data => {
    return { dataId: to.write(from.readSync(dataId), shape, dtype), shape, dtype };
  };
  const copies: Data[] = [];
  const copied = (input: Data): Data => {
    const copy = across(input, wasm, cpu);
    copies.push(copy);
    return copy;
  };
  const given = Object.entries(inputs as Record<string, Data | Data[] | undefined>).map(([name, input]) => [
    name,
    Array.isArray(input) ? input.map(copied) : input && copied(input),
  ]);
  const result = kernelFunc({ inputs: Object.fromEntries(given), attrs, backend: cpu });
  const results = [result].flat() as Data[];
  const outputs = results.map((one) => across(one, cpu, wasm));
  for (const { dataId } of [...copies, ...results]) cpu.disposeData(dataId);
  // What an operation gives back is a list where its kernel's was.
  return (Array.isArray(result) ? outputs : outputs[0]) as ReturnType<Kernel['kernelFunc']>;
}
