import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { installServers } from '../test/api/support/packages.ts';
import { createProgress, formatDuration } from './cluster/progress.ts';
import { ensureToolchain } from './cluster/toolchain.ts';

/** Runs everything that needs no cluster of pods, and says at the end what took how long. */
const progress = createProgress();
const assets = process.env['KUBEBUILDER_ASSETS'] ?? (await ensureToolchain(progress));
installServers();
const times: string[] = [];

// These take the processors whole. Where one of them fails, the rest is not waited for.
for (const part of ['check', 'unit']) {
  console.log(`\n▸ ${part}`);
  if (!(await run(part, 'inherit'))) process.exit(1);
}

// These wait most of the time, for elections and connections that time out: two at once take little longer than the longer one.
const lanes = [['integration:operator'], ['integration:engines', 'api']];
const passed = await Promise.all(lanes.map(runAll));
console.log(`\n${passed.every(Boolean) ? '✓' : '✗'} ${times.join(', ')}`);
process.exitCode = passed.every(Boolean) ? 0 : 1;

/** One after the other, each to its end. True when all of them passed. */
async function runAll(names: readonly string[]): Promise<boolean> {
  let passedAll = true;
  for (const name of names) passedAll = (await run(name, 'gathered')) && passedAll;
  return passedAll;
}

/** Runs a script of package.json. What is gathered is printed at its end, so that two at once are not mixed up. */
async function run(name: string, output: 'inherit' | 'gathered'): Promise<boolean> {
  const began = performance.now();
  const child = spawn('npm', ['run', '--silent', name], {
    env: { ...process.env, KUBEBUILDER_ASSETS: assets },
    stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const printed = [child.stdout, child.stderr].map(async (stream) => (stream === null ? '' : await text(stream)));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (output === 'gathered') console.log(`\n▸ ${name}\n${(await Promise.all(printed)).join('')}`);
  const took = formatDuration(performance.now() - began);
  times.push(`${name} ${took}`);
  if (code !== 0) console.error(`✗ ${name} failed after ${took}`);
  return code === 0;
}
