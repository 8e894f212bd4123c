/** `npm run bench:programs -- [part of a name] [--profile PREFIX]`: the step programs alone. */
import * as tf from '@tensorflow/tfjs';
import { FACTORIES } from '../src/bench/workloads/index.js';
import { timeProgram } from './step-program.js';

const WORKLOADS = [
  FACTORIES['10-20-1'](20, 400),
  FACTORIES['784-128-10'](128, 128),
  FACTORIES['784-512-512-10'](128, 128),
  FACTORIES['784-512-512-10'](512, 512),
  FACTORIES.cnn(32, 32),
  FACTORIES.cnn(64, 64),
  FACTORIES.cnn(128, 128),
  FACTORIES.vgg(32, 32),
  FACTORIES['residual-cnn'](64, 64),
  FACTORIES.mobilenet(32, 32),
];

const args = process.argv.slice(2);
const flag = args.indexOf('--profile');
const profile = flag < 0 ? undefined : args.splice(flag, 2)[1];
const [part = ''] = args;

tf.enableProdMode();
for (const workload of WORKLOADS.filter(({ name }) => name.includes(part))) {
  const { median, best, compileMilliseconds, bytes } = await timeProgram(workload, workload.batchSize, 3000, profile);
  const size = (bytes / 1024).toFixed(0);
  console.log(
    `${workload.name.padEnd(24)} median ${median.toFixed(3)} ms  best ${best.toFixed(3)} ms  ` +
      `compiled in ${compileMilliseconds.toFixed(0)} ms to ${size} KiB`,
  );
}
