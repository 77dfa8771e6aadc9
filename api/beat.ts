import { beatVariables } from './config.ts';
import { main, stopSignal } from './main.ts';
import { runBeat } from './tasks/run-beat.ts';

await main('beat', beatVariables, async (config, log) => {
  await runBeat(config, log, stopSignal());
  process.exit(0);
});
