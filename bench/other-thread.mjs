/** The other side of `transport.ts`: for each message sends a word back so many times. */
import { parentPort, workerData as words } from 'node:worker_threads';

const [BALL, BEGUN] = [0, 1];

parentPort.on('message', (trips) => {
  Atomics.store(words, BEGUN, 1);
  for (let i = 0; i < trips; i++) {
    while (Atomics.load(words, BALL) !== 2 * i + 1);
    Atomics.store(words, BALL, 2 * i + 2);
  }
});
