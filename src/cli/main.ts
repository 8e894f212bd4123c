#!/usr/bin/env node
import { EXIT } from './exit-code.js';
import { listenForInterruption } from './interruption.js';
import { openOutput } from './output.js';
import { runProgram } from './run-program.js';

const output = openOutput();
// On a terminal the bar and the ^C stand on the line already.
const lineStart = process.stderr.isTTY ? '\n' : '';
using interruption = listenForInterruption((line) => output.error(`${lineStart}shardfit: ${line}`));
output.onClosed = (problem) => {
  if (problem === undefined) return interruption.stop(EXIT.done);
  output.error(`shardfit: stdout cannot be written: ${problem}`);
  // What has been printed by --help is found to be lost after the command is over.
  process.exitCode = EXIT.failed;
  interruption.stop(EXIT.failed);
};

// The one place that ends the program: with a code, and by letting what has been written drain.
const exitCode = await runProgram(process.argv, output, interruption).catch(() => EXIT.failed);
process.exitCode ||= exitCode;
