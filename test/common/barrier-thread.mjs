// One party of a barrier: counts itself in, waits, and checks that everyone else was counted before anyone went on.
import { parentPort, workerData } from 'node:worker_threads';
import { Barrier } from '#shardfit/common/barrier.js';
import { Control } from '#shardfit/common/control.js';

const { words, counter, parties, rounds, rank, waitsForOneMore } = workerData;
const control = new Control(words);
const barrier = new Barrier(control, parties);
try {
  for (let round = 0; round < rounds; round++) {
    Atomics.add(counter, 0, 1);
    barrier.wait();
    const seen = Atomics.load(counter, 0);
    if (seen !== (round + 1) * parties) throw new Error(`rank ${rank}, round ${round}: saw ${seen} arrivals`);
    barrier.wait();
  }
  if (waitsForOneMore) {
    parentPort.postMessage('waiting');
    barrier.wait();
  }
  parentPort.postMessage('done');
} catch (error) {
  parentPort.postMessage(`${error.name}: ${error.message}`);
}
