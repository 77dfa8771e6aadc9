import { parseArgs } from 'node:util';
import { KubeClient } from '../../../operator/kube/client.ts';
import { loadConfig } from '../../../operator/kube/config.ts';
import { runOperator } from '../../../operator/operator.ts';
import type { ControllerMetrics } from '../../../operator/runtime/controller.ts';
import { createLogger, type Logger } from '../../../operator/runtime/logger.ts';
import { RuntimeMetrics } from '../../../operator/runtime/metrics.ts';
import { Engines } from '../../support/controllers/engines.ts';

/** The operator as operator/main.ts runs it, over engines that are played; says when its first reconcile has ended. */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    port: { type: 'string', default: '0' },
    formed: { type: 'boolean', default: false },
  },
});

class TellingMetrics extends RuntimeMetrics {
  readonly #logger: Logger;
  #told = false;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  override controller(name: string): ControllerMetrics {
    const metrics = super.controller(name);
    return {
      ...metrics,
      reconciled: (outcome, seconds) => {
        if (!this.#told) this.#logger.info('first reconcile', { outcome, seconds });
        this.#told = true;
        metrics.reconciled(outcome, seconds);
      },
    };
  }
}

const logger = createLogger();
const metrics = new TellingMetrics(logger);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('stopped by SIGTERM')));
const client = new KubeClient(loadConfig({ kubeconfig: values.kubeconfig }), {
  onResult: (result) => metrics.request(result),
});
await runOperator({
  client,
  metrics,
  logger,
  namespace: 'default',
  port: Number(values.port),
  identity: `bench-${process.pid}`,
  version: '0.0.0-bench',
  env: process.env,
  components: new Engines(client, { formed: values.formed }).components(),
  signal: stop.signal,
});
await client.close();
process.exit();
