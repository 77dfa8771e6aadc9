import { parseArgs } from 'node:util';
import { KubeClient } from '../../../operator/kube/client.ts';
import { loadConfig } from '../../../operator/kube/config.ts';
import { resources } from '../../../operator/kube/resources.ts';
import { childKinds } from '../../../operator/platform/core/children.ts';
import { labels } from '../../../operator/platform/core/names.ts';
import { Informer } from '../../../operator/runtime/informer.ts';
import { silentLogger } from '../../../operator/runtime/logger.ts';
import { compare } from './compared-client.ts';

/** This project's client and informers over everything that the operator watches. */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    namespace: { type: 'string', default: '' },
    name: { type: 'string', default: '' },
  },
});
const client = new KubeClient(loadConfig({ kubeconfig: values.kubeconfig }));
const signal = new AbortController().signal;
const informers = [...childKinds, resources.platforms].map(
  (resource) =>
    new Informer(client, resource, {
      logger: silentLogger,
      ...(resource === resources.platforms ? {} : { labelSelector: labels.platform }),
    }),
);

await compare({
  async sync() {
    for (const informer of informers) informer.start(signal);
    await Promise.all(informers.map((informer) => informer.whenSynced()));
    return informers.reduce((sum, { size }) => sum + size, 0);
  },
  async read() {
    await client.get({ resource: resources.configMaps, namespace: values.namespace, name: values.name });
  },
});
