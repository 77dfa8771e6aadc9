import { expect } from 'chai';
import { type PersistentVolumeClaim, resources } from '../../operator/kube/resources.ts';
import {
  apply,
  childKinds,
  children,
  client,
  eventually,
  getPlatform,
  healthy,
  platform,
  platformRef,
} from './support/cluster.ts';
import { useDesk } from './support/desk.ts';

async function remaining(): Promise<string[]> {
  const found = await Promise.all(
    childKinds.map(async (resource) =>
      (await children(resource)).map(({ metadata }) => `${resource.kind}/${metadata.name}`),
    ),
  );
  return found.flat();
}

async function deleteAndWait(): Promise<void> {
  await client.delete(platformRef, { propagationPolicy: 'Background' });
  await eventually('the platform gone', async () => ((await getPlatform()) === undefined ? true : undefined));
  await eventually('its children gone', async () => ((await remaining()).length === 0 ? true : undefined), {
    saw: async () => `left: ${(await remaining()).join(', ')}`,
  });
}

async function claims(): Promise<string[]> {
  return (await children<PersistentVolumeClaim>(resources.persistentVolumeClaims)).map(({ metadata }) => metadata.name);
}

describe('deleting a platform', () => {
  const desk = useDesk();
  let conversation: string;

  it('leaves no child, and keeps the volumes', async () => {
    conversation = await desk.openConversation();
    await desk.send(conversation, 'My router blinks red');
    const before = await claims();
    // Three of Postgres, three of RabbitMQ, six of Redis and two of the shard that it gave back before.
    expect(before).to.have.length(14);
    await deleteAndWait();
    expect(await claims()).to.have.members(before);
  });

  it('can be undone: the same resource comes back with its data', async () => {
    await apply(platform());
    await healthy(480_000);
    const { messages } = await desk.read(conversation);
    expect(messages.map(({ text }) => text)).to.deep.equal(['My router blinks red']);
  });

  it('can be undone at once, while what it has left is being collected', async () => {
    await client.delete(platformRef, { propagationPolicy: 'Background' });
    await eventually('the platform gone', async () => ((await getPlatform()) === undefined ? true : undefined), {
      intervalMs: 10,
    });
    await apply(platform());
    await healthy(480_000);
    const { messages } = await desk.read(conversation);
    expect(messages.map(({ text }) => text)).to.deep.equal(['My router blinks red']);
  });

  it('takes the volumes along when the resource says so', async () => {
    await apply(platform({}, { 'isp.support/delete-volumes': 'true' }));
    await deleteAndWait();
    await eventually('the volumes gone', async () => ((await claims()).length === 0 ? true : undefined));
  });
});
