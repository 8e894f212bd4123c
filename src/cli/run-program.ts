import { CommanderError } from 'commander';
import { DataChoiceError } from '../data/data-error.js';
import { EXIT } from './exit-code.js';
import type { Interruption } from './interruption.js';
import type { Output } from './output.js';
import { createProgram } from './program.js';
import { UsageError } from './usage-error.js';

/** Runs a command line; every error ends here, as one message on stderr. Returns the exit code. */
export async function runProgram(argv: string[], output: Output, interruption: Interruption): Promise<number> {
  try {
    // tfjs takes half a second to load: not for --help.
    await createProgram({
      train: async (options) => (await import('./train.js')).train(options, output, interruption),
      predict: async (options) => (await import('./predict.js')).predict(options, output, interruption),
      evaluate: async (options) => (await import('./evaluate.js')).evaluateCommandLine(options, output, interruption),
      export: async (options) => (await import('./export.js')).exportModel(options, interruption),
      explain: async (options) => (await import('./explain.js')).explainCommandLine(options, output, interruption),
      bench: async (options) => (await import('./bench.js')).benchCommandLine(options, output, interruption),
      study: async (options) => (await import('./study.js')).studyCommandLine(options, output, interruption),
    }).parseAsync(argv);
  } catch (error) {
    return explain(error, output, interruption, argv[2]);
  }
  return interruption.exitCode ?? EXIT.done;
}

/** Commands without a training, which write all that they have to say at once. */
const AT_ONCE = ['predict', 'evaluate', 'export'];

function explain(error: unknown, output: Output, { signal, exitCode }: Interruption, command = ''): number {
  // commander has printed its message itself; it also throws after --help, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (signal.aborted && error === signal.reason) {
    if (exitCode === EXIT.interrupted || exitCode === EXIT.terminated)
      output.error(
        `shardfit: stopped ${AT_ONCE.includes(command) ? 'before there was a result' : 'before training had begun'}`,
      );
    return exitCode ?? EXIT.interrupted;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  output.error(`shardfit: ${message}`);
  if (process.env.SHARDFIT_DEBUG && stack) output.error(stack);
  return error instanceof UsageError || error instanceof DataChoiceError ? EXIT.usage : EXIT.failed;
}
