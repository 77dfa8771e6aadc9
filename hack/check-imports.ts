/**
 * Checks that imports go one way: platform → runtime → kube in the operator, and none at all between the operator and the API.
 */
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

interface Layer {
  /** Folder or file that the layer is, relative to the root; the first that holds a file counts. */
  readonly path: string;
  /** What it may import beside itself. */
  readonly mayImport: readonly string[];
}

const LAYERS: readonly Layer[] = [
  { path: 'operator/kube', mayImport: [] },
  { path: 'operator/runtime', mayImport: ['operator/kube'] },
  { path: 'operator/platform/schema', mayImport: ['operator/platform/core', 'operator/kube'] },
  { path: 'operator/platform', mayImport: ['operator/runtime', 'operator/kube'] },
  { path: 'operator/cli', mayImport: ['operator/kube', 'operator/platform/schema', 'operator/platform/core'] },
  { path: 'operator', mayImport: ['package.json'] },
  { path: 'api', mayImport: [] },
];

export interface Violation {
  readonly file: string;
  readonly imports: string;
  readonly allowed: readonly string[];
}

/**
 * What a file imports against the rules.
 *
 * @param file path relative to the root, with `/`
 */
export function violations(file: string, source: string): Violation[] {
  const layer = LAYERS.find(({ path }) => isWithin(file, path));
  if (layer === undefined) return [];
  // A test may also use what tests share.
  const allowed = [layer.path, ...layer.mayImport, ...(file.endsWith('.test.ts') ? ['test'] : [])];
  return relativeImports(file, source)
    .filter((imported) => !allowed.some((path) => isWithin(imported, path)))
    .map((imports) => ({ file, imports, allowed }));
}

function relativeImports(file: string, source: string): string[] {
  return ts
    .preProcessFile(source)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(file), name)));
}

function isWithin(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}

async function main(): Promise<void> {
  const root = join(import.meta.dirname, '..');
  const found: Violation[] = [];
  for await (const file of glob(['operator/**/*.ts', 'api/**/*.ts'], { cwd: root }))
    found.push(...violations(file, await readFile(join(root, file), 'utf8')));
  for (const { file, imports, allowed } of found)
    console.error(`${file} imports ${imports}: it may import from ${allowed.join(', ')} only`);
  if (found.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
