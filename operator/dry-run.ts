import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from './kube/client.ts';
import { resources } from './kube/resources.ts';
import { components as allComponents } from './platform/components.ts';
import { ChildrenCache } from './platform/core/children.ts';
import type { Component, ComponentPlan, Scope } from './platform/core/component.ts';
import { nameLeftovers } from './platform/core/leftovers.ts';
import { planAll } from './platform/core/plan.ts';
import type { Platform } from './platform/core/platform.ts';
import { type Change, preview } from './platform/core/preview.ts';
import { ProbeBoard } from './platform/core/probe-board.ts';
import { type Sources, scopeOf } from './platform/core/scope.ts';
import { nextTeardownStep } from './platform/core/teardown.ts';
import { defaultImages } from './platform/schema/images.ts';
import { findings } from './platform/schema/validate.ts';
import { systemClock } from './runtime/clock.ts';
import { Informer } from './runtime/informer.ts';
import type { Logger } from './runtime/logger.ts';

export interface DryRunOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** What platforms are made of. Default: everything there is. */
  readonly components?: readonly Component[];
  readonly signal: AbortSignal;
}

/** What the operator would do next with one platform. */
export interface DryRun {
  /** `namespace/name` */
  readonly platform: string;
  /** Why nothing would be done at all. */
  readonly held?: string;
  readonly components: readonly {
    readonly name: string;
    readonly reason: string;
    readonly message: string;
    readonly changes: readonly Change[];
  }[];
}

/** So long the engines have to answer their first questions; what has not answered then is as unknown as it is to an operator. */
const PROBES_MS = 6_000;

/**
 * Looks at every platform as the operator would, questions to its engines included, and says what one reconcile would do. Needs no lease
 * and writes nothing: the API server is asked about every object with a dry run of its own.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun[]> {
  const { client, logger, env, components = allComponents, signal } = options;
  const stop = new AbortController();
  const watching = AbortSignal.any([signal, stop.signal]);
  const platforms = new Informer<Platform>(client, resources.platforms, { logger });
  const children = new ChildrenCache(client, logger, () => undefined);
  const probes = new ProbeBoard({ clock: systemClock, logger, onChange: () => undefined });
  const sources: Sources = { children, probes, images: defaultImages(env), clock: systemClock };
  try {
    platforms.start(watching);
    children.start(watching);
    await Promise.all([platforms.whenSynced(signal), children.whenSynced(signal)]);
    const all = platforms.list().map((platform) => ({ platform, key: keyOf(platform) }));
    await askEngines(all, components, sources, signal);
    const results: DryRun[] = [];
    for (const { platform, key } of all) results.push(await lookAt(client, components, sources, key, platform, signal));
    return results.toSorted((a, b) => (a.platform < b.platform ? -1 : 1));
  } finally {
    probes.stop();
    stop.abort(new Error('the dry run ends'));
  }
}

/** Waits until every engine has answered once, or has had its time. */
async function askEngines(
  all: readonly { readonly platform: Platform; readonly key: string }[],
  components: readonly Component[],
  sources: Sources,
  signal: AbortSignal,
): Promise<void> {
  const asked = all.filter(({ platform }) => platform.metadata.deletionTimestamp === undefined);
  for (const { platform, key } of asked) {
    const scope = scopeOf(sources, key, platform);
    sources.probes.sync(
      key,
      components.flatMap((component) => component.probes(scope)),
    );
  }
  const deadline = performance.now() + PROBES_MS;
  while (!asked.every(({ key }) => sources.probes.haveAnswered(key)) && performance.now() < deadline)
    await pause(50, undefined, { signal });
}

async function lookAt(
  client: KubeClient,
  components: readonly Component[],
  sources: Sources,
  key: string,
  platform: Platform,
  signal: AbortSignal,
): Promise<DryRun> {
  if (platform.metadata.deletionTimestamp !== undefined) {
    const step = nextTeardownStep(platform, sources.children.of(key));
    return { platform: key, held: `is being deleted: ${step?.doing ?? 'nothing is left'}`, components: [] };
  }
  const scope = scopeOf(sources, key, platform);
  const broken = findings(scope.effective);
  const plans = planAll(components, scope);
  const looked = [];
  for (const component of components) {
    const plan = plans.get(component.name) as ComponentPlan;
    const refused = broken.filter((one) => one.component === component.name);
    const changes: Change[] =
      refused.length > 0
        ? refused.map(({ message }) => ({ verb: 'refused', what: component.name, detail: message }))
        : await preview(client, scope, component, plan, signal);
    const { reason, message } = plan.condition;
    looked.push({ name: component.name, reason, message, changes });
  }
  const held = whyHeld(scope);
  return { platform: key, ...(held === undefined ? {} : { held }), components: looked };
}

function whyHeld({ effective, leftovers }: Scope): string | undefined {
  if (effective.paused) return 'is paused: none of this is done before it is resumed';
  if (leftovers.length > 0)
    return `waits until what a deleted platform of its name has left is gone: ${nameLeftovers(leftovers)}`;
  return undefined;
}

function keyOf({ metadata }: Platform): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

const signs: Readonly<Record<Change['verb'], string>> = {
  create: '+',
  change: '~',
  scale: '~',
  act: '!',
  delete: '-',
  refused: 'x',
};

/** For a person; as many lines as there is something to do. */
export function renderDryRun(results: readonly DryRun[]): string {
  if (results.length === 0) return 'there are no platforms\n';
  return results.map((result) => `${renderOne(result).join('\n')}\n`).join('\n');
}

function renderOne({ platform, held, components }: DryRun): string[] {
  const count = components.reduce((sum, { changes }) => sum + changes.length, 0);
  const head = `${platform}: ${count === 0 ? 'nothing to do' : `${count} ${count === 1 ? 'change' : 'changes'}`}`;
  return [
    held === undefined ? head : `${head}; ${held}`,
    ...components.flatMap(({ name, reason, message, changes }) => [
      ...(changes.length === 0 ? [] : [`  ${name} (${reason}${message === '' ? '' : `: ${message}`})`]),
      ...changes.map(
        ({ verb, what, detail }) => `    ${signs[verb]} ${verb} ${what}${detail === undefined ? '' : `: ${detail}`}`,
      ),
    ]),
  ];
}
