#!/usr/bin/env node
import { EXIT } from './exit-code.js';
import { listenForInterruption } from './interruption.js';
import { openOutput } from './output.js';
import { runProgram } from './run-program.js';

const output = openOutput();
using interruption = listenForInterruption((line) => output.error(`shardfit: ${line}`));
output.onClosed = () => interruption.stop();

// The one place that ends the program: with a code, and by letting what has been written drain.
process.exitCode = await runProgram(process.argv, output, interruption).catch(() => EXIT.failed);
