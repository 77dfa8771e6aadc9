import type { KubeClient } from '../kube/client.ts';
import { type Pod, resources } from '../kube/resources.ts';
import { labels } from '../platform/core/names.ts';
import type { Platform } from '../platform/core/platform.ts';
import type { StatusCommand } from './arguments.ts';
import { renderList, renderStatus } from './render-status.ts';
import { type Report, reportOf } from './report.ts';

export interface Outcome {
  readonly text: string;
  readonly exitCode: number;
}

/** What is asked for is not there. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  readonly code = 'NOT_FOUND';
}

/** Reads the platforms asked for with their pods. `namespace` is where to look unless all namespaces are meant. */
export async function status(
  client: Pick<KubeClient, 'get' | 'list'>,
  { name, allNamespaces, json }: StatusCommand,
  namespace: string,
  now: Date,
): Promise<Outcome> {
  const platforms = await find(client, name, allNamespaces ? undefined : namespace);
  if (platforms.length === 0)
    throw new NotFoundError(allNamespaces ? 'there is no platform' : `there is no platform in namespace ${namespace}`);
  const reports = await Promise.all(
    platforms.map(async (platform) => reportOf(platform, await podsOf(client, platform), now)),
  );
  return {
    text: json ? toJson(reports, name) : toText(reports),
    exitCode: reports.every(({ ready }) => ready) ? 0 : 1,
  };
}

async function find(
  client: Pick<KubeClient, 'get' | 'list'>,
  name: string | undefined,
  namespace: string | undefined,
): Promise<readonly Platform[]> {
  if (name === undefined) return (await client.list<Platform>(resources.platforms, { namespace })).items;
  const platform = await client.get<Platform>({ resource: resources.platforms, namespace, name });
  if (platform === undefined) throw new NotFoundError(`there is no platform ${name} in namespace ${namespace}`);
  return [platform];
}

async function podsOf(client: Pick<KubeClient, 'list'>, { metadata }: Platform): Promise<readonly Pod[]> {
  const labelSelector = `${labels.platform}=${metadata.name}`;
  return (await client.list<Pod>(resources.pods, { namespace: metadata.namespace, labelSelector })).items;
}

function toText(reports: readonly Report[]): string {
  const [only] = reports;
  return reports.length === 1 && only !== undefined ? renderStatus(only) : renderList(reports);
}

function toJson(reports: readonly Report[], name: string | undefined): string {
  return JSON.stringify(name === undefined ? { items: reports } : reports[0], undefined, 2);
}
