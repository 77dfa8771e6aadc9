import { parseArgs } from 'node:util';
import { cacheFolder } from '../cluster/cache.ts';
import { withLock } from '../cluster/lock.ts';
import { buildPackages, ensurePackages } from '../cluster/packages.ts';
import { createProgress } from '../cluster/progress.ts';
import { pruneArchives } from './archives.ts';
import { createImageMaker, resolveImage } from './build.ts';
import { chooseBuilder } from './builder.ts';
import { selectImages } from './catalog.ts';

const usage = `usage: node hack/images/main.ts COMMAND
  build [NAME...]        build images that are not there yet and print NAME=REFERENCE lines
  list [--env] [NAME...] print NAME=REFERENCE lines, or RELATED_IMAGE_NAME=REFERENCE for the operator's environment
Without names: all that a platform needs.`;

const progress = createProgress();

/** One at a time: bundles are written to a place that all share. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const onWait = () => progress.say('another build of images is running: waiting for it');
  return withLock(`${cacheFolder()}/images.lock`, onWait, work);
}

async function build(names: readonly string[]): Promise<void> {
  const builder = await chooseBuilder(() => ensurePackages(buildPackages, progress));
  const maker = createImageMaker(builder, progress);
  for (const spec of selectImages(names)) {
    const image = await resolveImage(spec);
    await maker.make(image);
    console.log(`${spec.name}=${image.reference}`);
  }
  if (builder.name === 'buildah') await pruneArchives(builder);
}

async function list(names: readonly string[], forOperator: boolean): Promise<void> {
  for (const spec of selectImages(names)) {
    const { reference } = await resolveImage(spec);
    if (!forOperator) console.log(`${spec.name}=${reference}`);
    else if (spec.environmentVariable) console.log(`${spec.environmentVariable}=${reference}`);
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { env: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  });
  const [command, ...names] = positionals;
  if (values.help || command === undefined) return console.log(usage);
  if (command === 'build') return alone(() => build(names));
  if (command === 'list') return alone(() => list(names, values.env));
  throw new Error(`no command ${command}\n${usage}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
