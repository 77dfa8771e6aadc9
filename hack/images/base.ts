import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/exec.ts';

const release = 'bookworm';

/** Keeps documentation, manuals and translations out of the image, and out of what is installed into it later. */
const dpkgExcludes = `path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
`;

const aptSettings = `Acquire::Languages "none";
APT::AutoRemove::SuggestsImportant "false";
`;

const aptSources = `Types: deb
URIs: http://deb.debian.org/debian
Suites: ${release} ${release}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: ${release}-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

/** Deletes what the excludes above would have kept out, and what the installation itself leaves behind. */
const slim = `
cd "$1"
find usr/share/doc -mindepth 2 ! -name copyright ! -type d -delete
find usr/share/doc -mindepth 1 -type d -empty -delete
for folder in groff info lintian linda locale man; do rm -rf "usr/share/$folder"; mkdir -p "usr/share/$folder"; done
rm -rf usr/lib/x86_64-linux-gnu/gconv usr/lib/aarch64-linux-gnu/gconv
rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* tmp/* etc/apt/sources.list etc/resolv.conf etc/hostname
`;

/** All that decides what is in the base image, for its key. */
export const baseRecipe = [release, dpkgExcludes, aptSettings, aptSources, slim].join('\n');

/** Makes the Debian base image out of Debian's packages and leaves it in buildah's store. */
export async function bootstrapDebian(reference: string, storageDriver: readonly string[]): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'isp-support-base-'));
  const buildah = async (...args: string[]): Promise<string> =>
    (await run('buildah', [...storageDriver, ...args])).trim();
  try {
    await run('debootstrap', ['--variant=minbase', release, root]);
    await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/slim'), dpkgExcludes);
    await writeFile(join(root, 'etc/apt/apt.conf.d/slim'), aptSettings);
    await writeFile(join(root, 'etc/apt/sources.list.d/debian.sources'), aptSources);
    await run('sh', ['-euc', slim, 'sh', root]);
    const container = await buildah('from', 'scratch');
    try {
      await buildah('add', '--quiet', container, root, '/');
      await buildah('config', '--cmd', '["bash"]', container);
      await buildah('commit', '--quiet', container, reference);
    } finally {
      await buildah('rm', container);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
