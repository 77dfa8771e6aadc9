import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, exists, keyOf, readInputs, repositoryRoot } from './cache.ts';
import { CommandError, run } from './exec.ts';
import { withLock } from './lock.ts';
import { formatDuration, type Progress } from './progress.ts';

/** The Kubernetes release of tools/go.mod (k8s.io/api v0.36.3 is Kubernetes v1.36.3). */
export interface KubernetesVersion {
  gitVersion: string;
  major: string;
  minor: string;
}

const toolsFolder = join(repositoryRoot, 'hack', 'cluster', 'tools');

/** Commands that the one `kube` binary answers to, by the name it is called with. */
const kubeCommands = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
] as const;

/** Each binary with the Go package that it is the main of. */
const mains: Readonly<Record<string, string>> = {
  kube: './kube',
  etcd: './etcd',
  coredns: './coredns',
  'metrics-server': './metrics-server',
  pause: './pause',
  'volume-provisioner': './volumes',
};

/** Which Kubernetes a go.mod asks for. */
export function kubernetesVersion(goMod: string): KubernetesVersion {
  const found = /^\s*k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\S+)/m.exec(goMod);
  if (!found) throw new Error('go.mod does not require k8s.io/kubernetes');
  const [, major = '', minor = '', patch = ''] = found;
  return { gitVersion: `v${major}.${minor}.${patch}`, major, minor };
}

/** Linker flags: no symbol tables, and the version that Kubernetes' commands report. */
export function linkerFlags(version: KubernetesVersion): string {
  const variables = { gitVersion: version.gitVersion, gitMajor: version.major, gitMinor: version.minor };
  const settings = Object.entries(variables).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ['-s', '-w', ...settings].join(' ');
}

async function goVersion(): Promise<string> {
  try {
    return (await run('go', ['version'], { cwd: toolsFolder })).trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error(
      'the local cluster is built from Go modules: install Go 1.21 or newer (it fetches the release it needs)',
      {
        cause: error,
      },
    );
  }
}

/** The folder of the binaries that belong to the present sources, whether built already or not, and what it takes. */
async function locate(): Promise<{ folder: string; flags: string }> {
  const inputs = await readInputs(toolsFolder, await sources());
  const flags = linkerFlags(kubernetesVersion(Buffer.from(inputs['go.mod'] ?? '').toString()));
  const key = keyOf({ ...inputs, ':go': await goVersion(), ':flags': flags });
  return { folder: join(cacheFolder(), 'bin', key), flags };
}

async function sources(): Promise<string[]> {
  const names = await readdir(toolsFolder, { recursive: true });
  return names.filter((name) => name.endsWith('.go') || name === 'go.mod' || name === 'go.sum');
}

async function build(folder: string, flags: string, progress: Progress): Promise<void> {
  const began = performance.now();
  await mkdir(join(folder, '..'), { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
    for (const [name, main] of Object.entries(mains)) {
      const args = ['build', '-trimpath', '-ldflags', flags, '-o', join(scratch, name), main];
      await run('go', args, { cwd: toolsFolder, env });
      progress.say(`${name} built (${formatDuration(performance.now() - began)} so far)`);
    }
    for (const name of kubeCommands) await symlink('kube', join(scratch, name));
    await rename(scratch, folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The folder with etcd, Kubernetes' commands and the add-ons' binaries, built first when there is none for the present
 * sources. It has the shape that KUBEBUILDER_ASSETS names.
 */
export async function ensureToolchain(progress: Progress): Promise<string> {
  const { folder, flags } = await locate();
  if (await exists(folder)) return folder;
  await withLock(
    `${folder}.lock`,
    () => progress.say('another build of the same is running: waiting for it'),
    async () => {
      if (await exists(folder)) return;
      const work = () => build(folder, flags, progress);
      await progress.step('build Kubernetes from its Go modules', work, '6 min the first time on 2 cores');
      await prune();
    },
  );
  return folder;
}

/** How many builds are kept: the present one, and those that a running cluster or another checkout may still use. */
const keptBuilds = 3;

/** Deletes the oldest builds, and what builds that were broken off have left. */
async function prune(): Promise<void> {
  const root = join(cacheFolder(), 'bin');
  const names = (await readdir(root)).filter((name) => !name.endsWith('.lock'));
  const folders = await Promise.all(
    names.map(async (name) => ({ path: join(root, name), builtAt: (await stat(join(root, name))).mtimeMs })),
  );
  const oldest = folders.toSorted((a, b) => b.builtAt - a.builtAt).slice(keptBuilds);
  for (const { path } of oldest) await rm(path, { recursive: true, force: true });
}
