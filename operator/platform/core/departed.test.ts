import { expect } from 'chai';
import { ManualClock } from '../../../test/support/clock.ts';
import type { Pod } from '../../kube/resources.ts';
import { Departed } from './departed.ts';

function pod(name: string, uid: string): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'support', uid } };
}

describe('pods that are gone', () => {
  it('are remembered by name, the last one of a name', () => {
    const departed = new Departed(new ManualClock());
    departed.remember(pod('acme-postgres-0', 'a'));
    departed.remember(pod('acme-postgres-0', 'b'));
    expect(departed.get('support', 'acme-postgres-0')?.metadata.uid).to.equal('b');
    expect(departed.get('other', 'acme-postgres-0')).to.equal(undefined);
  });

  it('are forgotten after five minutes', async () => {
    const clock = new ManualClock();
    const departed = new Departed(clock);
    departed.remember(pod('acme-postgres-0', 'a'));
    await clock.advance(5 * 60_000 + 1);
    expect(departed.get('support', 'acme-postgres-0')).to.equal(undefined);
  });
});
