import { isMainThread, parentPort } from 'node:worker_threads';

// One module for the process and its threads, so that one bundle holds both; each loads only its half.
if (isMainThread) {
  const { workerVariables } = await import('./config.ts');
  const { main, stopSignal } = await import('./main.ts');
  const { work } = await import('./tasks/work.ts');
  await main('worker', workerVariables, async (config, log) => {
    await work(config, new URL(import.meta.url), log, stopSignal());
    process.exit(0);
  });
} else if (parentPort) {
  const { runChild } = await import('./tasks/child.ts');
  await runChild(parentPort);
}
