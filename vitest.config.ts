import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests that compute on one thread, or wait for a process that does most of the time: two files at once. */
const TWO_AT_A_TIME = 'test/{cli,compiler,data,kernels}/**/*.test.ts';

export default defineConfig({
  // Tests run the built package, as users do: `import { fit } from 'shardfit'`.
  resolve: { alias: { shardfit: fileURLToPath(new URL('dist/index.js', import.meta.url)) } },
  test: {
    setupFiles: ['test/support/seeded-random.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'two at a time', include: [TWO_AT_A_TIME], maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'one at a time',
          include: ['test/**/*.test.ts'],
          exclude: [TWO_AT_A_TIME],
          // Every one of these files starts threads of its own: one at a time keeps a 2-core machine honest.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
