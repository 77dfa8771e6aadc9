import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { installServers } from '../test/api/support/packages.ts';
import { createProgress, formatDuration } from './cluster/progress.ts';
import { ensureToolchain } from './cluster/toolchain.ts';

const AT_ONCE = 3;

/** Runs everything that needs no cluster of pods, and says at the end what took how long. */
const progress = createProgress();
const assets = process.env['KUBEBUILDER_ASSETS'] ?? (await ensureToolchain(progress));
installServers();
const times: string[] = [];

// These take the processors whole. Where one of them fails, the rest is not waited for.
for (const part of ['check', 'unit']) {
  console.log(`\n▸ ${part}`);
  if (!(await run(part, ['npm', 'run', '--silent', part], 'inherit'))) process.exit(1);
}

// These wait most of the time, for elections and connections that time out, so several at once take little longer than one of them. What takes
// longest is to begin first, and those with the most code mostly do.
const queue = (await partsOf('test/integration')).toSorted((a, b) => b.bytes - a.bytes);
queue.unshift({ name: 'api', command: ['npm', 'run', '--silent', 'api'], bytes: 0 });
let failed = false;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      if (!(await run(part.name, part.command, 'gathered'))) failed = true;
    }
  }),
);
console.log(`\n${failed ? '✗' : '✓'} ${times.join(', ')}`);
process.exitCode = failed ? 1 : 0;

interface Part {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly bytes: number;
}

/** Each folder's tests in a process of their own. */
async function partsOf(folder: string): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const { name } of glob('*', { cwd: folder, withFileTypes: true })) {
    const sizes = await Array.fromAsync(glob(`${folder}/${name}/**/*.ts`), async (file) => (await stat(file)).size);
    const command = [
      process.execPath,
      'node_modules/mocha/bin/mocha.js',
      '--exit',
      '--spec',
      `${folder}/${name}/**/*.test.ts`,
    ] as const;
    parts.push({ name: `${folder}/${name}`, command, bytes: sizes.reduce((sum, size) => sum + size, 0) });
  }
  return parts;
}

/** Runs a command. What is gathered is printed at its end, so that two at once are not mixed up. */
async function run(
  name: string,
  [command, ...args]: Part['command'],
  output: 'inherit' | 'gathered',
): Promise<boolean> {
  const began = performance.now();
  const child = spawn(command, args, {
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
