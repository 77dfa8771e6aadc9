import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createProgress } from './cluster/progress.ts';
import { install, prepareNamespace } from './install.ts';

/** Runs the end-to-end suite, or the test files given, on a cluster with the newest operator and no platform of the suite's name. */
const files = process.argv.length > 2 ? process.argv.slice(2) : ['test/e2e/*.test.ts'];
const progress = createProgress({
  plan: ['cluster', 'build images', 'load images', 'install the operator', 'clear', 'suite'],
});
const surroundings = await install(progress);
const { env, kubectl } = surroundings;
await progress.step('clear', async () => {
  await prepareNamespace(surroundings);
  const found = await kubectl(['-n', 'support', 'get', 'isp', 'acme', '--ignore-not-found', '-o', 'name']);
  if (found.trim() === '') return;
  await kubectl(['-n', 'support', 'annotate', 'isp', 'acme', 'isp.support/delete-volumes=true', '--overwrite']);
  await kubectl(['-n', 'support', 'delete', 'isp', 'acme', '--timeout=180s']);
});
progress.say('suite');
const suite = spawn(
  process.execPath,
  ['node_modules/mocha/bin/mocha.js', '--config', 'test/e2e/.mocharc.json', ...files],
  {
    env,
    stdio: 'inherit',
  },
);
const [code] = (await once(suite, 'exit')) as [number | null];
process.exitCode = code ?? 1;
