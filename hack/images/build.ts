import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { keyOf, readInputs, repositoryRoot } from '../cluster/cache.ts';
import { archivePath } from '../cluster/local/images.ts';
import type { Progress } from '../cluster/progress.ts';
import { archive, isArchived } from './archives.ts';
import { baseRecipe } from './base.ts';
import type { BuildRequest, ImageBuilder } from './builder.ts';
import { bundleImage, isBundled } from './bundle.ts';
import { debianImage, type ImageSpec, imageReference } from './catalog.ts';

const nodeFolder = join(repositoryRoot, 'hack', 'images', 'node');
const nodeBinary = join(repositoryRoot, 'node_modules', 'node', 'bin', 'node');

/** The official image that the Node images are based on where there is a registry. */
const officialNodeImage = 'docker.io/library/node:24-bookworm-slim';

/** What an image is made of and called. */
export interface ResolvedImage {
  spec: ImageSpec;
  reference: string;
}

async function baseKey(base: ImageSpec['base']): Promise<string> {
  if (base === 'debian') return keyOf({ recipe: baseRecipe });
  const inputs = await readInputs(repositoryRoot, [
    relative(repositoryRoot, nodeFolder),
    'node_modules/node/package.json',
  ]);
  return keyOf({ ...inputs, ':base': await baseKey('debian') });
}

/** Finds out the name of an image, which says what is in it; bundles its programs anew for that. */
export async function resolveImage(spec: ImageSpec): Promise<ResolvedImage> {
  if (isBundled(spec.name)) await bundleImage(spec.name);
  const paths = [...new Set([spec.dockerfile, spec.context])].map((path) => relative(repositoryRoot, path));
  const inputs = await readInputs(repositoryRoot, paths);
  return { spec, reference: imageReference(spec.name, keyOf({ ...inputs, ':base': await baseKey(spec.base) })) };
}

/** Makes images with one builder, each only when there is none of the same inputs. */
export function createImageMaker(builder: ImageBuilder, progress: Progress) {
  const keepsArchives = builder.name === 'buildah';

  async function isMade(reference: string): Promise<boolean> {
    return keepsArchives ? await isArchived(reference) : await builder.has(reference);
  }

  /** Builds an image, or takes it back from its archive, so that the builder's own store has it. */
  async function ensureInStore(reference: string, usually: string, make: () => Promise<void>): Promise<void> {
    if (await builder.has(reference)) return;
    if (await isArchived(reference)) return builder.restore(archivePath(reference));
    await progress.step(`build ${reference}`, make, usually);
    if (keepsArchives) await archive(builder, reference);
  }

  async function ensureDebian(): Promise<string> {
    if (!keepsArchives) return debianImage;
    const reference = imageReference('debian', await baseKey('debian'));
    await ensureInStore(reference, '1 min', () => builder.bootstrap(reference));
    return reference;
  }

  async function ensureNode(): Promise<string> {
    if (!keepsArchives) return officialNodeImage;
    const reference = imageReference('node', await baseKey('node'));
    const baseImage = await ensureDebian();
    await ensureInStore(reference, '10 s', async () => {
      const context = await mkdtemp(join(tmpdir(), 'isp-support-node-'));
      try {
        await copyFile(nodeBinary, join(context, 'node'));
        await builder.build({
          reference,
          dockerfile: join(nodeFolder, 'Dockerfile'),
          context,
          arguments: { BASE_IMAGE: baseImage },
        });
      } finally {
        await rm(context, { recursive: true, force: true });
      }
    });
    return reference;
  }

  /** Makes one image and keeps it where the cluster's `load` finds it. */
  async function make({ spec, reference }: ResolvedImage): Promise<void> {
    if (await isMade(reference)) return progress.say(`${reference}: there already`);
    const base: Record<string, string> =
      spec.base === 'node' ? { NODE_IMAGE: await ensureNode() } : { BASE_IMAGE: await ensureDebian() };
    const request: BuildRequest = { reference, dockerfile: spec.dockerfile, context: spec.context, arguments: base };
    await ensureInStore(reference, '1 min', () => builder.build(request));
  }

  return { make };
}
