#!/usr/bin/env node
import { EXIT } from './exit-code.js';
import { listenForInterruption } from './interruption.js';
import { openOutput } from './output.js';
import { runProgram } from './run-program.js';

const output = openOutput();
// On a terminal the bar and the ^C stand on the line already.
const lineStart = process.stderr.isTTY ? '\n' : '';
using interruption = listenForInterruption((line) => output.error(`${lineStart}shardfit: ${line}`));
output.onClosed = () => interruption.stop();

// The one place that ends the program: with a code, and by letting what has been written drain.
process.exitCode = await runProgram(process.argv, output, interruption).catch(() => EXIT.failed);
