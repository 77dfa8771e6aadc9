import { expect } from 'chai';
import { eventually } from './support/cluster.ts';
import { useDesk } from './support/desk.ts';

describe('a customer’s message', () => {
  const desk = useDesk();

  it('gets its answer', async () => {
    const conversation = await desk.openConversation();
    await desk.send(conversation, 'My internet is slow');
    const answered = await eventually('the answer', async () => {
      const [message] = (await desk.read(conversation)).messages;
      return message?.answer ?? undefined;
    });
    expect(answered.text).to.be.a('string').and.not.equal('');
  });

  it('is kept once when it is sent twice with the same key', async () => {
    const conversation = await desk.openConversation();
    await desk.send(conversation, 'No signal since this morning', 'one-key');
    await desk.send(conversation, 'No signal since this morning', 'one-key');
    expect((await desk.read(conversation)).messages).to.have.length(1);
  });

  it('is refused with a problem document when it makes no sense', async () => {
    const conversation = await desk.openConversation();
    const { status, body } = await desk.call('POST', `/v1/conversations/${conversation}/messages`, { text: '' });
    expect(status).to.equal(400);
    expect(JSON.stringify(body)).to.contain('text');
  });

  it('finds a platform that reports on itself', async () => {
    for (const path of ['/health', '/ready', '/metrics', '/openapi.json'])
      expect((await desk.call('GET', path)).status, path).to.equal(200);
  });
});
