import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createProgress } from './cluster/progress.ts';
import { install } from './install.ts';

/** Measures how Postgres fails over, on a cluster with the newest operator. */
const { env } = await install(createProgress());
const bench = spawn(process.execPath, ['test/bench/failover.ts', ...process.argv.slice(2)], { env, stdio: 'inherit' });
const [code] = (await once(bench, 'exit')) as [number | null];
process.exitCode = code ?? 1;
