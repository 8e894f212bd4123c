import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests that compute on one thread: two files at a time. */
const ON_ONE_THREAD = 'test/{compiler,data,kernels}/**/*.test.ts';

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
        test: { name: 'one thread', include: [ON_ONE_THREAD], maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'threads',
          include: ['test/**/*.test.ts'],
          exclude: [ON_ONE_THREAD],
          // Every one of these files starts threads of its own: one at a time keeps a 2-core machine honest.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
