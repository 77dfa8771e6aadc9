import { readFile } from 'node:fs/promises';
import { CommandError, run, succeeds } from '../cluster/exec.ts';
import { bootstrapDebian } from './base.ts';

/** One build: a Dockerfile over a context, with arguments. */
export interface BuildRequest {
  reference: string;
  dockerfile: string;
  context: string;
  arguments: Readonly<Record<string, string>>;
}

/** A program that builds images from Dockerfiles and keeps them. */
export interface ImageBuilder {
  readonly name: 'buildah' | 'docker';
  /** Makes a Debian base image out of Debian's packages, for want of a registry. */
  bootstrap(reference: string): Promise<void>;
  has(reference: string): Promise<boolean>;
  build(request: BuildRequest): Promise<void>;
  /** Writes an image as an archive that a container runtime can import. */
  save(reference: string, archive: string): Promise<void>;
  /** Takes an image back from such an archive. */
  restore(archive: string): Promise<void>;
  remove(reference: string): Promise<void>;
}

/** A bundle of certificate authorities that this machine's environment names, for downloads during a build. */
function authorities(env: NodeJS.ProcessEnv): string | undefined {
  return env['PIP_CERT'] ?? env['SSL_CERT_FILE'];
}

/** The arguments that both builders understand, in the same words. */
export function buildArguments(request: BuildRequest, env: NodeJS.ProcessEnv = process.env): string[] {
  const settings = Object.entries(request.arguments).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const bundle = authorities(env);
  const secret = bundle === undefined ? [] : ['--secret', `id=ca-certificates,src=${bundle}`];
  return [...settings, ...secret, '--tag', request.reference, '--file', request.dockerfile, request.context];
}

export const docker: ImageBuilder = {
  name: 'docker',
  bootstrap: async () => {
    throw new Error('Docker pulls its base images');
  },
  has: (reference) => succeeds('docker', ['image', 'inspect', reference]),
  async build(request) {
    const env = { ...process.env, DOCKER_BUILDKIT: '1' };
    await run('docker', ['build', '--quiet', ...buildArguments(request)], { env });
  },
  async save(reference, archive) {
    await run('docker', ['save', '--output', archive, reference]);
  },
  async restore(archive) {
    await run('docker', ['load', '--quiet', '--input', archive]);
  },
  async remove(reference) {
    await run('docker', ['image', 'rm', reference]);
  },
};

/** buildah without a daemon, a registry or namespaces of its own: builds run in a chroot on the host's network. */
export function createBuildah(storageDriver: 'overlay' | 'vfs'): ImageBuilder {
  const buildah = (...args: string[]): Promise<string> => run('buildah', ['--storage-driver', storageDriver, ...args]);
  return {
    name: 'buildah',
    bootstrap: (reference) => bootstrapDebian(reference, ['--storage-driver', storageDriver]),
    has: (reference) =>
      succeeds('buildah', ['--storage-driver', storageDriver, 'inspect', '--type', 'image', reference]),
    async build(request) {
      const isolation = ['--isolation', 'chroot', '--network', 'host', '--pull-never', '--layers=false'];
      await buildah('bud', '--quiet', ...isolation, ...buildArguments(request));
    },
    async save(reference, archive) {
      await buildah('push', '--quiet', reference, `docker-archive:${archive}:${reference}`);
    },
    async restore(archive) {
      await buildah('pull', '--quiet', `docker-archive:${archive}`);
    },
    async remove(reference) {
      await buildah('rmi', reference);
    },
  };
}

/** Which storage driver works here: overlay nearly always, but not on a root that is itself an overlay. */
async function storageDriver(): Promise<'overlay' | 'vfs'> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const root = mounts.filter(([, point]) => point === '/').at(-1);
  if (root?.[2] === 'overlay') return 'vfs';
  try {
    await run('buildah', ['--storage-driver', 'overlay', 'info']);
    return 'overlay';
  } catch (error) {
    if (error instanceof CommandError) return 'vfs';
    throw error;
  }
}

/** Docker where it answers, else buildah. */
export async function chooseBuilder(ensureBuildah: () => Promise<void>): Promise<ImageBuilder> {
  if (await succeeds('docker', ['info'])) return docker;
  await ensureBuildah();
  return createBuildah(await storageDriver());
}
