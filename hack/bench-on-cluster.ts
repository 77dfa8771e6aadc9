import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createProgress } from './cluster/progress.ts';
import { install } from './install.ts';

/** Runs a benchmark with this command's arguments on a cluster with the newest operator. */
export async function benchOnCluster(program: string): Promise<void> {
  const { env } = await install(createProgress());
  const bench = spawn(process.execPath, [program, ...process.argv.slice(2)], { env, stdio: 'inherit' });
  const [code] = (await once(bench, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}
