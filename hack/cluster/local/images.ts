import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder, exists } from '../cache.ts';
import { run, succeeds } from '../exec.ts';
import { type StaticImage, writeImageArchive } from './archive.ts';
import type { NodeLayout } from './layout.ts';
import { stateFolder } from './layout.ts';

/** An image with the archive that it can be loaded from. */
export interface ImageArchive {
  reference: string;
  archive: string;
}

/** Images of the cluster itself, tagged with the key of the binaries in them. */
function systemImages(binaries: string): StaticImage[] {
  return ['pause', 'coredns', 'metrics-server'].map((name) => ({
    reference: systemImage(binaries, name),
    files: { [name]: join(binaries, name) },
    entrypoint: [`/${name}`],
  }));
}

/** Reference of one of the images of the cluster itself. */
export function systemImage(binaries: string, name: string): string {
  return `localhost/isp-support-cluster/${name}:${basename(binaries)}`;
}

/** Where the archive of an image is kept: the last part of its name and its tag make the file's name. */
export function archivePath(reference: string): string {
  return join(cacheFolder(), 'images', `${basename(reference).replace(':', '-')}.tar`);
}

export async function writeSystemImages(binaries: string): Promise<ImageArchive[]> {
  const archives = systemImages(binaries).map((image) => ({
    image,
    archive: join(binaries, 'images', `${basename(image.reference)}.tar`),
  }));
  for (const { image, archive } of archives) await writeImageArchive(archive, image);
  return archives.map(({ image, archive }) => ({ reference: image.reference, archive }));
}

async function hasImage(node: NodeLayout, reference: string): Promise<boolean> {
  const listed = await ctr(node, ['images', 'list', '--quiet', `name==${reference}`]);
  return listed.trim() !== '';
}

/** Runs containerd's own client against a node. */
export function ctr(node: NodeLayout, args: readonly string[]): Promise<string> {
  return run('ctr', ['--address', node.containerdSocket, '--namespace', 'k8s.io', ...args]);
}

/** Puts images onto all nodes at once; gives the references of those that some node did not have. */
export async function loadArchives(nodes: readonly NodeLayout[], images: readonly ImageArchive[]): Promise<string[]> {
  const loaded = new Set<string>();
  await Promise.all(
    nodes.map(async (node) => {
      for (const { reference, archive } of images) {
        if (await hasImage(node, reference)) continue;
        await ctr(node, ['images', 'import', archive]);
        loaded.add(reference);
      }
    }),
  );
  return [...loaded];
}

/** Runs `use` with archives of these images: the kept ones, or ones exported from the image builder for the while. */
export async function withArchives<T>(
  references: readonly string[],
  use: (images: ImageArchive[]) => Promise<T>,
): Promise<T> {
  const folder = join(stateFolder, 'exported');
  try {
    const images: ImageArchive[] = [];
    for (const reference of references) images.push({ reference, archive: await archiveOf(reference, folder) });
    return await use(images);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function archiveOf(reference: string, folder: string): Promise<string> {
  const kept = archivePath(reference);
  if (await exists(kept)) return kept;
  await mkdir(folder, { recursive: true });
  const archive = join(folder, basename(kept));
  if (await succeeds('buildah', ['inspect', '--type', 'image', reference])) {
    await run('buildah', ['push', '--quiet', reference, `docker-archive:${archive}:${reference}`]);
    return archive;
  }
  if (await succeeds('docker', ['image', 'inspect', reference])) {
    await run('docker', ['save', '--output', archive, reference]);
    return archive;
  }
  throw new Error(`${reference}: neither kept in ${cacheFolder()}, nor known to buildah or Docker; build it first`);
}
