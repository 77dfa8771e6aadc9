import cluster from 'node:cluster';
import { apiVariables } from './config.ts';
import { linkToPrimary, superviseProcesses } from './http/processes.ts';
import { serve } from './http/serve.ts';
import { main, stopSignal } from './main.ts';

await main('api', apiVariables, async (config, log) => {
  const stop = stopSignal();
  if (config.API_PROCESSES > 1 && cluster.isPrimary) {
    await superviseProcesses(config.API_PROCESSES, log, stop);
  } else {
    const link = linkToPrimary();
    await serve(config, log, link ? AbortSignal.any([stop, link.drain]) : stop, link);
  }
  process.exit(0);
});
