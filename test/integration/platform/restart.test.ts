import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import type { Component } from '../../../operator/platform/core/component.ts';
import type { Platform } from '../../../operator/platform/core/platform.ts';
import { useApiServer } from '../../support/apiserver/shared.ts';
import type { Controllers } from '../../support/controllers/index.ts';
import { eventually } from '../../support/eventually.ts';
import { platform, platformRef } from '../crd/platforms.ts';
import { startOperator } from './operator.ts';
import { PLAYED_SPEC, startPlayedCluster } from './played-cluster.ts';

const SLOW_MS = 700;
/** Redis has no pods here. */
const SERVED = ['PostgresReady', 'RabbitMQReady', 'ApiReady', 'WorkersReady'];

describe('an operator that takes over from another', function () {
  this.timeout(90_000);
  const server = useApiServer();
  let client: KubeClient;
  let controllers: Controllers;
  let namespace: string;

  before(async () => {
    ({ client, controllers, namespace } = await startPlayedCluster(server.current, 'restart'));
  });

  after(async () => await controllers.stop());

  async function current(): Promise<Platform | undefined> {
    return await client.get<Platform>(platformRef(namespace, 'acme'));
  }

  /** Engines of which each answers later than the one before. */
  function slowly(components: readonly Component[]): readonly Component[] {
    return components.map((component, index) => ({
      ...component,
      probes: (scope) =>
        component.probes(scope).map((probe) => ({
          ...probe,
          run: async (signal: AbortSignal) => {
            await pause(SLOW_MS + 100 * index);
            return await probe.run(signal);
          },
        })),
    }));
  }

  it('says nothing of a platform before it has heard from its engines', async () => {
    const first = startOperator(server.current, 'first', controllers.engines.components());
    try {
      await client.create(platform(namespace, 'acme', PLAYED_SPEC));
      await eventually(async () => {
        const conditions = (await current())?.status?.conditions ?? [];
        const served = conditions.filter(({ type, status }) => SERVED.includes(type) && status === 'True');
        expect(served).to.have.length(SERVED.length);
      }, 60_000);
    } finally {
      await first.stop();
    }
    const before = await current();
    const second = startOperator(server.current, 'second', slowly(controllers.engines.components()));
    const seen = new Set<string>();
    try {
      for (const end = performance.now() + 4_000; performance.now() < end; await pause(20))
        seen.add(JSON.stringify((await current())?.status?.conditions));
    } finally {
      await second.stop();
    }
    expect([...seen]).to.deep.equal([JSON.stringify(before?.status?.conditions)]);
  });
});
