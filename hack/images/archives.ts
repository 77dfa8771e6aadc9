import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../cluster/cache.ts';
import { archivePath } from '../cluster/local/images.ts';
import type { ImageBuilder } from './builder.ts';
import { imageReference } from './catalog.ts';

/** How many archives of one image are kept: the newest, and those of what was built before. */
const keptPerImage = 3;

/** The name and the tag of an image out of the name of its archive, `<name>-<key>.tar`. */
export function parseArchiveName(file: string): { name: string; key: string } | undefined {
  const [, name, key] = /^(.+)-([0-9a-f]{16})\.tar$/.exec(file) ?? [];
  return name === undefined || key === undefined ? undefined : { name, key };
}

/** Which archives to delete: of each image, all but the ones used last. */
export function surplus(archives: readonly { file: string; usedAt: number }[]): string[] {
  const byImage = Map.groupBy(archives, ({ file }) => parseArchiveName(file)?.name);
  return [...byImage.entries()].flatMap(([image, entries]) => {
    if (image === undefined) return [];
    const newestFirst = entries.toSorted((a, b) => b.usedAt - a.usedAt);
    return newestFirst.slice(keptPerImage).map(({ file }) => file);
  });
}

/** Whether an image's archive is kept already; if so, it counts as used now. */
export async function isArchived(reference: string): Promise<boolean> {
  const archive = archivePath(reference);
  if (!(await exists(archive))) return false;
  const now = new Date();
  await utimes(archive, now, now);
  return true;
}

/** Keeps an image as an archive, complete or not at all. */
export async function archive(builder: ImageBuilder, reference: string): Promise<void> {
  const path = archivePath(reference);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  try {
    await builder.save(reference, partial);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Deletes archives that nobody has used for long, and their images in the builder's own store. */
export async function pruneArchives(builder: ImageBuilder): Promise<void> {
  const folder = dirname(archivePath('any:tag'));
  const entries = await Promise.all(
    (await readdir(folder)).map(async (file) => ({ file, usedAt: (await stat(join(folder, file))).mtimeMs })),
  );
  for (const file of surplus(entries)) {
    await rm(join(folder, file), { force: true });
    const image = parseArchiveName(file);
    const reference = image && imageReference(image.name, image.key);
    if (reference && (await builder.has(reference))) await builder.remove(reference);
  }
}
