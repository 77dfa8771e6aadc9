import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { exists, repositoryRoot } from '../cluster/cache.ts';
import { bundleFolder } from './catalog.ts';

/** What goes into one image: bundles by the name of their file, with the source that each begins at. */
interface Bundle {
  entryPoints: Readonly<Record<string, string>>;
  /** Folders that are copied as they are, by their name in the image. */
  folders: Readonly<Record<string, string>>;
}

const bundles: Readonly<Record<string, Bundle>> = {
  operator: { entryPoints: { operator: 'operator/main.ts' }, folders: {} },
  api: {
    entryPoints: {
      api: 'api/api.ts',
      worker: 'api/worker.ts',
      beat: 'api/beat.ts',
      migrate: 'api/migrate.ts',
      'dead-letters': 'api/dead-letters.ts',
      child: 'api/tasks/child.ts',
    },
    folders: { migrations: 'api/db/migrations' },
  },
};

/** Gives CommonJS dependencies the names that they expect to find in a module. */
export const commonJsNames = [
  `import { createRequire as __createRequire } from 'node:module';`,
  `import { dirname as __pathDirname } from 'node:path';`,
  `import { fileURLToPath as __fileURLToPath } from 'node:url';`,
  `const require = __createRequire(import.meta.url);`,
  `const __filename = __fileURLToPath(import.meta.url);`,
  `const __dirname = __pathDirname(__filename);`,
].join('\n');

/** Whether an image has bundles that must be made before it. */
export function isBundled(name: string): boolean {
  return name in bundles;
}

/** Bundles one image's programs into dist/<name>, anew; the same sources give the same files, byte for byte. */
export async function bundleImage(name: string): Promise<void> {
  const bundle = bundles[name];
  if (!bundle) throw new Error(`no bundles for ${name}`);
  const sources = [...Object.values(bundle.entryPoints), ...Object.values(bundle.folders)];
  for (const source of sources) {
    if (!(await exists(join(repositoryRoot, source)))) throw new Error(`${name}: ${source} does not exist`);
  }
  const folder = bundleFolder(name);
  await rm(folder, { recursive: true, force: true });
  await bundlePrograms(bundle.entryPoints, folder);
  for (const [target, source] of Object.entries(bundle.folders)) {
    await cp(join(repositoryRoot, source), join(folder, target), { recursive: true });
  }
}

/** Bundles programs the way that images have them: one file each, by the name of the file, with the source that each begins at. */
export async function bundlePrograms(entryPoints: Readonly<Record<string, string>>, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: { ...entryPoints },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // What is imported only when it is needed stays in files of its own, and out of memory.
    splitting: true,
    // The text of a program stays in memory, and one letter outside of Latin-1, in a comment for instance, doubles it.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    sourcemap: true,
    // The text of the sources would double the image; the positions in them are enough for a stack trace.
    sourcesContent: false,
    banner: { js: commonJsNames },
    // Native bindings that pg uses only when they are asked for.
    external: ['pg-native'],
    logLevel: 'warning',
  });
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ type: 'module' })}\n`);
}
