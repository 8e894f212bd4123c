/** For `--import`: TypeScript in the main thread. Worker threads inherit the argument, but have JavaScript only, which tsx would slow down. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) (await import('tsx/esm/api')).register();
