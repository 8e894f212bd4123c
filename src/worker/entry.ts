/** What a pool thread runs: one long-lived task per fit, which answers the coordinator until it is told to close. */

import { Arena } from '../common/arena.js';
import { exposeOn } from '../common/comlink.js';
import { AbortedError, Control } from '../common/control.js';
import type { EagerModel, ReplicaApi, ReplicaSetup } from '../common/protocol.js';
import type { GradientEngine } from './gradient-engine.js';
import { Replica } from './replica.js';
import { unlessStopped } from './unless-stopped.js';

export default async function serve(setup: ReplicaSetup): Promise<void> {
  const arena = new Arena(setup.memory, setup.layout);
  const control = new Control(arena.ints('control'));
  let replica: Replica | undefined;
  const loaded = () => {
    if (!replica) throw new Error('load() must be called before training');
    return replica;
  };
  /** Runs `work`; if it fails, ends the wait of all other workers and says who failed. */
  const guarded = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AbortedError) throw error;
      control.abort(setup.rank);
      const at = replica ? `, step ${replica.step}` : '';
      throw new Error(`worker ${setup.rank}${at}: ${(error as Error).message}`, { cause: error });
    }
  };
  await new Promise<void>((resolve) => {
    const api: ReplicaApi = {
      load: async () => {
        replica = await guarded(async () => {
          if (!setup.eager) return new Replica(setup, arena);
          const engine = await unlessStopped(eagerEngine(setup, setup.eager, arena), control, (late) => late.dispose());
          // Without one a stop was requested: nothing will be trained.
          return engine && new Replica(setup, arena, engine);
        });
      },
      add: async (work, programs) => guarded(() => loaded().add(work, programs)),
      trainEpoch: async (plan) => guarded(() => loaded().trainEpoch(plan)),
      resetStates: async () => guarded(() => loaded().resetStates()),
      evaluate: async (pass) => guarded(() => loaded().evaluate(pass)),
      predict: async (pass, outputs) => guarded(() => loaded().predict(pass, outputs)),
      close: async () => {
        try {
          replica?.dispose();
        } finally {
          // The answer to this call must be on its way before the port closes.
          setImmediate(resolve);
        }
      },
    };
    exposeOn(setup.port, api);
  });
  setup.port.close();
}

/** Only where it is needed: tfjs takes a while to load. */
async function eagerEngine(setup: ReplicaSetup, eager: EagerModel, arena: Arena): Promise<GradientEngine> {
  const { TfjsEngine } = await import('./tfjs-engine.js');
  return TfjsEngine.create(arena, setup, eager);
}
