import type * as tf from '@tensorflow/tfjs';

/** Logs as tfjs' own `model.fit` passes them on: some are tensors still. */
export type UnresolvedLogs = Record<string, number | tf.Scalar>;

/** Logs with a number for each name. */
export async function resolveLogs(logs: UnresolvedLogs): Promise<tf.Logs> {
  const entries = Object.entries(logs).map(async ([name, value]): Promise<[string, number]> => {
    return [name, typeof value === 'number' ? value : ((await value.data())[0] as number)];
  });
  return Object.fromEntries(await Promise.all(entries));
}
