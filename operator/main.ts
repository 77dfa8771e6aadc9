import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { dryRun, renderDryRun } from './dry-run.ts';
import { KubeClient } from './kube/client.ts';
import { loadConfig } from './kube/config.ts';
import { runOperator } from './operator.ts';
import { createLogger } from './runtime/logger.ts';
import { RuntimeMetrics } from './runtime/metrics.ts';

const usage = `usage: operator [--kubeconfig FILE] [--namespace NAMESPACE] [--port 8080] [--identity NAME] [--dry-run [--output json]]
  --kubeconfig   default: KUBECONFIG, else the pod's service account
  --namespace    where the lease is kept; default: POD_NAMESPACE, else isp-support-system
  --port         of /metrics, /healthz and /readyz
  --identity     in the lease; default: POD_NAME, else the host's name
  --dry-run      say what would be done next, and do nothing; ends with 0 when that is nothing, 1 when it is something, 2 on an error
  --output       of the dry run: text or json`;

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    namespace: { type: 'string', default: process.env['POD_NAMESPACE'] ?? 'isp-support-system' },
    port: { type: 'string', default: '8080' },
    identity: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    output: { type: 'string', default: 'text' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help) {
  console.log(usage);
  process.exit(0);
}

const logger = createLogger();
const metrics = new RuntimeMetrics();
const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    logger.info('stopping', { signal: name });
    stop.abort(new Error(`stopped by ${name}`));
  });
// One platform's defect must not end the work for the others: it is reported, and the queue brings the key back.
process.on('unhandledRejection', (error) => logger.error('a rejection was not handled', { error }));

const connection = loadConfig({ kubeconfig: values.kubeconfig });
const client = new KubeClient(connection, {
  onResult: (result) => metrics.request(result),
  onWarning: (text) => logger.warn('the API server warns', { text }),
});
try {
  if (values['dry-run']) await printDryRun();
  else await run();
} catch (error) {
  logger.error('the operator ends', { error });
  process.exitCode = values['dry-run'] ? 2 : 1;
} finally {
  await client.close();
}
process.exit();

async function run(): Promise<void> {
  await runOperator({
    client,
    metrics,
    logger,
    namespace: values.namespace,
    port: Number(values.port),
    identity: values.identity ?? process.env['POD_NAME'] ?? process.env['HOSTNAME'] ?? 'operator',
    version: packageJson.version,
    env: process.env,
    signal: stop.signal,
  });
}

async function printDryRun(): Promise<void> {
  const results = await dryRun({ client, logger, env: process.env, signal: stop.signal });
  const isNothing = results.every(({ components }) => components.every(({ changes }) => changes.length === 0));
  process.stdout.write(
    values.output === 'json' ? `${JSON.stringify({ items: results }, undefined, 2)}\n` : renderDryRun(results),
  );
  process.exitCode = isNothing ? 0 : 1;
}
