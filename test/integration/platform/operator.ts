import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { runOperator } from '../../../operator/operator.ts';
import { components as allComponents } from '../../../operator/platform/components.ts';
import type { Component } from '../../../operator/platform/core/component.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { RuntimeMetrics } from '../../../operator/runtime/metrics.ts';
import type { ApiServer } from '../../support/apiserver/index.ts';
import { eventually } from '../../support/eventually.ts';

export interface RunningOperator {
  /**
   * Requests since the start that wrote in the namespace, in their order, such as `PATCH /api/v1/…`. Platforms that other tests have left on the
   * API server are reconciled, too, and are nobody's concern here.
   */
  writes(namespace: string): readonly string[];
  /** Waits until it has written nothing there for 1.5 s; throws what it writes after 30 s. */
  idle(namespace: string): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the whole operator in this process against a real API server, where nothing but the operator is at work. */
export function startOperator(
  server: ApiServer,
  identity = 'test',
  components: readonly Component[] = allComponents,
): RunningOperator {
  const stop = new AbortController();
  const writes: string[] = [];
  const client: KubeClient = server.newClient({
    onResult: ({ method, path }) => {
      if (method !== 'GET') writes.push(`${method} ${path}`);
    },
  });
  const done = runOperator({
    client,
    metrics: new RuntimeMetrics(),
    logger: silentLogger,
    namespace: 'default',
    port: 0,
    identity,
    version: '0.0.0-test',
    env: { RELATED_IMAGE_API: 'api:test', RELATED_IMAGE_POSTGRES: 'postgres:test' },
    components,
    signal: stop.signal,
  });
  const writesIn = (namespace: string): string[] =>
    writes.filter((write) => /\/namespaces\/([^/?]+)\//.exec(write)?.[1] === namespace);
  return {
    writes: writesIn,
    async idle(namespace) {
      await eventually(async () => {
        const before = writesIn(namespace);
        await pause(1_500);
        expect(writesIn(namespace)).to.deep.equal(before);
      }, 30_000);
    },
    async stop() {
      stop.abort(new Error('the test ends'));
      await done;
      await client.close();
    },
  };
}
