import { createProgress, formatDuration } from './cluster/progress.ts';
import { install, prepareNamespace } from './install.ts';

const SAMPLE = 'manifests/samples/minimal.yaml';

const progress = createProgress({
  plan: ['cluster', 'build images', 'load images', 'install the operator', 'platform'],
});
const began = performance.now();
const surroundings = await install(progress);
const { kubectl, provider } = surroundings;
await progress.step('platform', async () => {
  await prepareNamespace(surroundings);
  await kubectl(['apply', '-f', SAMPLE]);
  await kubectl(['-n', 'support', 'wait', '--for=condition=Ready', 'isp/acme', '--timeout=600s']);
});
console.log(`
${await kubectl(['-n', 'support', 'get', 'isp'])}
Ready after ${formatDuration(performance.now() - began)} in all. Try next:

  export KUBECONFIG=${provider.kubeconfig()}
  kubectl -n support describe isp acme                         # what it is made of and how it is
  kubectl -n support port-forward service/acme-api 8000 &      # the API: http://localhost:8000/openapi.json
  kubectl -n support delete pod -l isp.support/role=primary,isp.support/component=postgres   # watch it fail over
  make e2e                                                     # the whole suite against this cluster
  make cluster-down                                            # and all of it is gone
`);
