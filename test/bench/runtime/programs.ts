import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, type PackageOf } from '../../../hack/cluster/packages.ts';
import { createProgress } from '../../../hack/cluster/progress.ts';
import { bundlePrograms } from '../../../hack/images/bundle.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'dist/bench');

/** What the operator's image has besides node. */
const packages: PackageOf = {
  [`/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libjemalloc.so.2`]: 'libjemalloc2',
};

/** Bundles the programs that are measured as images have them. */
export async function bundle(): Promise<void> {
  await ensurePackages(packages, createProgress({ plan: [] }));
  await bundlePrograms(
    {
      operator: 'test/bench/runtime/operator.ts',
      'own-client': 'test/bench/runtime/own-client.ts',
      'official-client': 'test/bench/runtime/official-client.ts',
    },
    folder,
  );
}

export function program(name: 'operator' | 'own-client' | 'official-client'): string {
  return join(folder, `${name}.js`);
}

/** The flags with which the operator's image starts node. */
export function nodeFlags(): string[] {
  const text = readFileSync(join(root, 'operator/Dockerfile'), 'utf8');
  const command = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1] ?? '[]') as string[];
  return command.slice(1, -1);
}

/** The environment that the operator's image gives to node. */
export function imageEnvironment(): Record<string, string> {
  const text = readFileSync(join(root, 'operator/Dockerfile'), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}
