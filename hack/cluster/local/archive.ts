import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../cache.ts';
import { run } from '../exec.ts';

/** An image of a few static files, which needs no image builder. */
export interface StaticImage {
  reference: string;
  /** Files of this machine by their path in the image. */
  files: Readonly<Record<string, string>>;
  entrypoint: readonly string[];
}

const earliest = '1970-01-01T00:00:00Z';

/** The image's configuration as the Docker archive format wants it. */
function imageConfig(image: StaticImage, layerDigest: string, architecture: string): string {
  return JSON.stringify({
    architecture,
    os: 'linux',
    created: earliest,
    config: { Entrypoint: image.entrypoint, Env: ['PATH=/bin'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: earliest }],
  });
}

function tar(folder: string, archive: string, entries: readonly string[]): Promise<string> {
  const reproducible = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  return run('tar', ['--create', '--file', archive, '--directory', folder, ...reproducible, ...entries]);
}

/** Writes the image as a Docker archive of one layer, unless that archive is there already. */
export async function writeImageArchive(archive: string, image: StaticImage): Promise<void> {
  if (await exists(archive)) return;
  await mkdir(dirname(archive), { recursive: true });
  const scratch = await mkdtemp(`${archive}.`);
  try {
    const root = join(scratch, 'root');
    for (const [target, source] of Object.entries(image.files)) await place(join(root, target), source);
    await tar(root, join(scratch, 'layer.tar'), ['.']);
    const digest = createHash('sha256')
      .update(await readFile(join(scratch, 'layer.tar')))
      .digest('hex');
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    await writeFile(join(scratch, 'config.json'), imageConfig(image, digest, architecture));
    const manifest = [{ Config: 'config.json', RepoTags: [image.reference], Layers: ['layer.tar'] }];
    await writeFile(join(scratch, 'manifest.json'), JSON.stringify(manifest));
    await tar(scratch, join(scratch, 'image.tar'), ['manifest.json', 'config.json', 'layer.tar']);
    await rename(join(scratch, 'image.tar'), archive);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function place(target: string, source: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(source, target);
  await chmod(target, 0o755);
}
