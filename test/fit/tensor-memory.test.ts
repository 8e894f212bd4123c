/** Whether step programs work in the arena itself or on copies, and that it makes no difference to the result. */
import { expect, it } from 'vitest';
import { fitUnderFault } from './support/fit-under-fault.js';

const major = Number(process.versions.node.split('.')[0]);

it('programs read weights and write gradients in the arena from Node 22 on, and on copies before', async () => {
  const { tensorMemory } = await fitUnderFault('');
  // Node 20 has no way to hand shared memory to a native addon.
  expect(tensorMemory).toBe(major >= 22 ? 'shared' : 'copied');
});

it('where shared memory is refused programs work on copies and train the same bits', async () => {
  const usual = await fitUnderFault('');
  const copying = await fitUnderFault('refuse-shared');
  expect(copying.tensorMemory).toBe('copied');
  expect(copying.sha256).toBe(usual.sha256);
});
