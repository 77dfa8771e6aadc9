import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createProgress } from './cluster/progress.ts';
import { install, prepareNamespace } from './install.ts';

/** Measures the figures in docs/benchmarks/platform.md on a cluster with the newest operator. */
const surroundings = await install(createProgress());
await prepareNamespace(surroundings);
const bench = spawn(process.execPath, ['test/bench/platform.ts', ...process.argv.slice(2)], {
  env: surroundings.env,
  stdio: 'inherit',
});
const [code] = (await once(bench, 'exit')) as [number | null];
process.exitCode = code ?? 1;
