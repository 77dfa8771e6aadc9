import { expect } from 'chai';
import { alertingCondition } from '../../../operator/platform/alerts/condition.ts';
import { AlertSender } from '../../../operator/platform/alerts/sender.ts';
import type { EffectiveAlerts } from '../../../operator/platform/core/effective.ts';
import type { AlertStatus, Platform } from '../../../operator/platform/core/platform.ts';
import { type Clock, systemClock } from '../../../operator/runtime/clock.ts';
import { ManualClock } from '../../support/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { Alertmanager } from './alertmanager.ts';

const KEY = 'support/acme';
const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support' },
};
const failover = '2030-01-01T00:00:00.000Z';
const alert: AlertStatus = {
  name: 'IspFailover',
  component: 'postgres',
  failover,
  startsAt: failover,
  summary: 'postgres primary acme-postgres-0 was lost (PrimaryTimeout); a failover is under way',
  description: 'Nothing can be written.',
};

describe('alerts on their way to an Alertmanager', () => {
  const first = new Alertmanager();
  const second = new Alertmanager();
  const senders: AlertSender[] = [];
  let changes = 0;

  function sender(clock: Clock = new ManualClock(new Date('2030-01-01T00:00:01Z')), token?: string): AlertSender {
    const made = new AlertSender({
      clock,
      readToken: async () => token,
      onChange: () => {
        changes += 1;
      },
    });
    senders.push(made);
    return made;
  }
  const only = (): EffectiveAlerts => ({ urls: [first.url] });
  const message = (one: AlertSender): string => alertingCondition(one.health(KEY), undefined)?.message ?? '';
  const status = (one: AlertSender): string => alertingCondition(one.health(KEY), undefined)?.status ?? '';

  beforeEach(async () => {
    for (const one of [first, second]) {
      one.held.clear();
      one.mood = 'well';
      one.token = undefined;
      one.requests = 0;
      await one.start();
    }
    changes = 0;
  });
  afterEach(async () => {
    for (const one of senders.splice(0)) one.stop();
    await Promise.all([first.stop(), second.stop()]);
  });

  it('have stable labels, the start of their cause, and an end in some minutes for the case that nothing more is heard', async () => {
    const clock = new ManualClock(new Date('2030-01-01T00:00:01Z'));
    const one = sender(clock);
    one.sync(KEY, platform, only(), [alert]);
    await eventually(() => expect(first.alerts).to.have.length(1));
    const [held] = first.alerts;
    expect(held?.labels).to.deep.equal({
      alertname: 'IspFailover',
      severity: 'critical',
      namespace: 'support',
      platform: 'acme',
      component: 'postgres',
      failover,
    });
    expect(held?.annotations['runbook']).to.equal('docs/runbooks/alerts.md#ispfailover');
    expect(held?.startsAt.toISOString()).to.equal(failover);
    expect(held?.endsAt.toISOString()).to.equal('2030-01-01T00:04:01.000Z');
    await eventually(() => expect(one.deliveryOf(KEY, alert).acceptedAt).to.deep.equal(clock.now()));
    expect(changes).to.be.greaterThan(0);
  });

  it('are sent again every minute while they fire, as the same alert, and once more when they have ended', async () => {
    const clock = new ManualClock(new Date('2030-01-01T00:00:01Z'));
    const one = sender(clock);
    one.sync(KEY, platform, only(), [alert]);
    for (const received of [1, 2, 3]) {
      await eventually(() => expect(first.alerts[0]?.received).to.equal(received));
      await eventually(() => expect(clock.pending).to.equal(1));
      await clock.advance(60_000);
    }
    const ended = { ...alert, summary: 'it is over', endsAt: '2030-01-01T00:03:00.000Z' };
    one.sync(KEY, platform, only(), [ended]);
    await eventually(() => expect(first.alerts[0]?.endsAt.toISOString()).to.equal(ended.endsAt));
    expect(first.alerts).to.have.length(1);
    await eventually(() => expect(one.deliveryOf(KEY, ended).ended).to.equal(true));
  });

  it('go to every Alertmanager, whichever of them is away, and count as ended only when all know', async () => {
    const one = sender(systemClock);
    const both = { urls: [first.url, second.url] };
    await second.stop();
    one.sync(KEY, platform, both, [alert]);
    await eventually(() => expect(one.deliveryOf(KEY, alert).acceptedAt).not.to.equal(undefined));
    await eventually(() => expect(message(one)).to.contain('cannot be reached (ECONNREFUSED); the others take alerts'));
    expect(status(one)).to.equal('True');
    const ended = { ...alert, endsAt: '2030-01-01T00:03:00.000Z' };
    one.sync(KEY, platform, both, [ended]);
    await eventually(() => expect(first.alerts[0]?.endsAt.toISOString()).to.equal(ended.endsAt));
    expect(one.deliveryOf(KEY, ended).ended).to.equal(false);
    await second.start();
    await eventually(() => expect(one.deliveryOf(KEY, ended).ended).to.equal(true));
  });

  it('arrive when an Alertmanager that was overloaded has recovered, after waits that grow', async () => {
    const clock = new ManualClock(new Date('2030-01-01T00:00:01Z'));
    first.mood = 'overloaded';
    const one = sender(clock);
    one.sync(KEY, platform, only(), [alert]);
    for (const [index, wait] of [1_000, 2_000, 4_000].entries()) {
      await eventually(() => expect(first.requests).to.equal(index + 1));
      await eventually(() => expect(clock.nextMs).to.equal(wait));
      await clock.advance(wait);
    }
    await eventually(() => expect(status(one)).to.equal('False'));
    expect(message(one)).to.contain(`no alert reaches anybody: ${first.url} answers 503`);
    expect(one.deliveryOf(KEY, alert).acceptedAt).to.equal(undefined);
    first.mood = 'well';
    await eventually(() => expect(clock.pending).to.equal(1));
    await clock.advance(8_000);
    await eventually(() => expect(one.deliveryOf(KEY, alert).acceptedAt).not.to.equal(undefined));
    expect(status(one)).to.equal('True');
  });

  it('are not thrown at one that refuses them', async () => {
    const clock = new ManualClock();
    first.mood = 'refusing';
    const one = sender(clock);
    one.sync(KEY, platform, only(), [alert]);
    await eventually(() => expect(clock.nextMs).to.equal(60_000));
    expect(message(one)).to.contain('answers 400');
  });

  it('keep nobody waiting for one that is silent, and end with it when they are no longer wanted', async () => {
    first.mood = 'silent';
    const one = sender();
    const began = performance.now();
    one.sync(KEY, platform, only(), [alert]);
    expect(performance.now() - began).to.be.below(100);
    await eventually(() => expect(first.requests).to.equal(1));
    one.sync(KEY, platform, undefined, []);
    expect(one.health(KEY).size).to.equal(0);
  });

  it('carry the token of the Secret, and say which Secret lacks it', async () => {
    first.token = 'of-the-night';
    const without = sender();
    const settings = { ...only(), tokenSecret: { name: 'pager', key: 'token' } };
    without.sync(KEY, platform, settings, [alert]);
    await eventually(() => expect(message(without)).to.contain('Secret pager has no token'));
    expect(first.requests).to.equal(0);
    const one = sender(new ManualClock(), 'of-the-night');
    one.sync(KEY, platform, settings, [alert]);
    await eventually(() => expect(first.alerts).to.have.length(1));
  });

  it('find out that a way is broken before there is anything to send on it', async () => {
    await first.stop();
    const one = sender();
    one.sync(KEY, platform, only(), []);
    await eventually(() => expect(status(one)).to.equal('False'));
  });

  it('sent by the operator that carries on after another are the same alert', async () => {
    sender().sync(KEY, platform, only(), [alert]);
    await eventually(() => expect(first.alerts).to.have.length(1));
    senders[0]?.stop();
    sender(new ManualClock(new Date('2030-01-01T00:01:00Z'))).sync(KEY, platform, only(), [alert]);
    await eventually(() => expect(first.alerts[0]?.received).to.equal(2));
    expect(first.alerts).to.have.length(1);
  });
});
