import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests run the built package, as users do: `import { fit } from 'shardfit'`.
  resolve: { alias: { shardfit: fileURLToPath(new URL('dist/index.js', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/seeded-random.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Every test file starts threads of its own: one file at a time keeps a 2-core machine honest.
    fileParallelism: false,
  },
});
