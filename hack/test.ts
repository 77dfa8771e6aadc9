import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { installServers } from '../test/api/support/packages.ts';
import { createProgress, formatDuration } from './cluster/progress.ts';
import { ensureToolchain } from './cluster/toolchain.ts';

/** Runs everything that needs no cluster of pods, and says at the end what took how long. */
const progress = createProgress();
const assets = process.env['KUBEBUILDER_ASSETS'] ?? (await ensureToolchain(progress));
installServers();
const parts = ['check', 'unit', 'integration', 'api'];
const times: string[] = [];

for (const part of parts) {
  const began = performance.now();
  console.log(`\n▸ ${part}`);
  const child = spawn('npm', ['run', '--silent', part], {
    env: { ...process.env, KUBEBUILDER_ASSETS: assets },
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  times.push(`${part} ${formatDuration(performance.now() - began)}`);
  if (code !== 0) {
    console.error(`✗ ${part} failed`);
    process.exit(code ?? 1);
  }
}
console.log(`\n✓ ${times.join(', ')}`);
