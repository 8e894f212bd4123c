import { expect, test } from 'vitest';
import { differences } from '../../bench/peers/loss-difference.js';

const ours = { name: 'ours', peer: false, statistics: 'batch' as const, losses: [2, 1] };
const peer = { name: 'peer', peer: true, statistics: 'batch' as const, losses: [2, 1.1] };

test('the worst relative difference of the updates that both did', () => {
  expect(differences([ours, peer])[0]?.worst).toBeCloseTo(0.1, 12);
  expect(differences([ours, { ...peer, losses: [2] }])).toEqual([
    { name: 'peer', reference: 'ours', updates: 1, worst: 0 },
  ]);
});

test('statistics of each shard are compared with our own of that kind, where there are any', () => {
  const shards = { ...ours, name: 'ours, shard', statistics: 'shard' as const, losses: [3, 2] };
  const ddp = { ...peer, name: 'DDP', statistics: 'shard' as const, losses: [3, 2] };
  expect(differences([ours, shards, ddp])).toEqual([{ name: 'DDP', reference: 'ours, shard', updates: 2, worst: 0 }]);
  expect(differences([ours, { ...ddp, losses: [2, 1] }])[0]?.reference).toBe('ours');
});

test('a loss that is not a number differs from all', () => {
  expect(differences([ours, { ...peer, losses: [Number.NaN] }])[0]?.worst).toBe(Number.POSITIVE_INFINITY);
});
