import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const NEEDED: Record<string, string> = {
  '/usr/lib/postgresql/15/bin/postgres': 'postgresql-15',
  '/usr/bin/redis-server': 'redis-server',
  '/usr/sbin/pgbouncer': 'pgbouncer',
  '/usr/lib/rabbitmq/bin/rabbitmq-server': 'rabbitmq-server',
  '/usr/bin/prometheus-alertmanager': 'prometheus-alertmanager',
};
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs the servers that are missing, without letting Debian start them as services. */
export function installServers(): void {
  const missing = Object.entries(NEEDED).filter(([file]) => !existsSync(file));
  if (missing.length > 0) installPackages(missing.map(([, name]) => name));
}

export function installPackages(names: readonly string[]): void {
  if (process.getuid?.() !== 0) throw new Error(`install ${names.join(', ')} with apt-get, or run the tests as root`);
  console.log(`installing ${names.join(', ')}`);
  const previous = existsSync(POLICY) ? readFileSync(POLICY) : undefined;
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env, stdio: 'inherit' });
  } finally {
    if (previous) writeFileSync(POLICY, previous);
    else rmSync(POLICY);
  }
}
