import { resources } from '../../../operator/kube/resources.ts';
import { children, client, eventually, getPlatform, platformRef } from './cluster.ts';

/** Deletes the platform with its volumes, if it is there, and waits until both are gone. */
export async function removePlatform(): Promise<void> {
  if ((await getPlatform()) === undefined) return;
  await client.patch(platformRef, {
    type: 'merge',
    body: { metadata: { annotations: { 'isp.support/delete-volumes': 'true' } } },
  });
  await client.delete(platformRef);
  await eventually('the platform gone', async () => ((await getPlatform()) === undefined ? true : undefined));
  await eventually('the volumes gone', async () =>
    (await children(resources.persistentVolumeClaims)).length === 0 ? true : undefined,
  );
}
