import { expect } from 'chai';
import type { AlertStatus, FailoverStatus } from '../core/platform.ts';
import { type Delivery, END_REPEATED_MS, GIVEN_UP_MS, nextAlerts, nextChangeMs, SEEN_MS } from './journal.ts';

const noticed = '2030-01-01T00:00:00.000Z';
const at = (seconds: number): Date => new Date(new Date(noticed).getTime() + seconds * 1000);
const open: FailoverStatus = {
  component: 'postgres',
  from: 'acme-postgres-0',
  reason: 'PrimaryTimeout',
  detectedAt: noticed,
  outcome: 'InProgress',
};
const serving: FailoverStatus = {
  ...open,
  to: 'acme-postgres-1',
  outcome: 'Succeeded',
  rtoSeconds: 2,
  step: 'Serving',
};
const redundant: FailoverStatus = { ...serving, step: 'Redundant' };
const untold = (): Delivery => ({ ended: false });
const taken = (seconds: number) => (): Delivery => ({ acceptedAt: at(seconds), ended: false });
const names = (alerts: readonly AlertStatus[]): string[] => alerts.map(({ name }) => name);

describe('the alerts of a platform', () => {
  it('begin with a failover, under the time at which it was noticed', () => {
    const [alert] = nextAlerts([], [open], untold, at(1));
    expect(alert).to.include({ name: 'IspFailover', component: 'postgres', startsAt: noticed, failover: noticed });
    expect(alert?.summary).to.equal(
      'postgres primary acme-postgres-0 was lost (PrimaryTimeout); a failover is under way',
    );
  });

  it('tell of a failover that was over before anybody had heard of it, until somebody has had the time to', () => {
    const begun = nextAlerts([], [redundant], untold, at(3));
    expect(begun, 'a failover that nobody was alerted of is not news any more').to.deep.equal([]);
    const waiting = nextAlerts(nextAlerts([], [open], untold, at(1)), [redundant], untold, at(3600));
    expect(waiting[0]?.endsAt).to.equal(undefined);
    const accepted = nextAlerts(waiting, [redundant], taken(3600), at(3601));
    expect(accepted[0]).to.include({ acceptedAt: at(3600).toISOString() });
    expect(accepted[0]?.endsAt).to.equal(undefined);
    expect(nextChangeMs(accepted, [redundant], at(3600))).to.equal(SEEN_MS);
    const [ended] = nextAlerts(accepted, [redundant], untold, at(3600 + SEEN_MS / 1000));
    expect(ended?.endsAt).to.equal(at(3600 + SEEN_MS / 1000).toISOString());
  });

  it('are of each component that fails over at the same time', () => {
    const redis: FailoverStatus = {
      ...open,
      component: 'redis',
      from: 'acme-redis-0-0',
      detectedAt: at(1).toISOString(),
    };
    const both = nextAlerts([], [open, redis], untold, at(2));
    expect(both.map(({ component, failover }) => `${component} ${failover}`)).to.deep.equal([
      `postgres ${noticed}`,
      `redis ${at(1).toISOString()}`,
    ]);
    expect(both[1]?.description).to.contain('A part of the keys cannot be read or written');
    expect(nextChangeMs([], [serving, redis], at(11))).to.equal(50_000);
  });

  it('go on while redundancy is missing', () => {
    const begun = nextAlerts(nextAlerts([], [open], taken(0), at(0)), [serving], taken(0), at(3600));
    expect(begun[0]?.endsAt).to.equal(undefined);
    expect(begun[0]?.summary).to.contain('acme-postgres-1 took over and serves after 2 s');
  });

  it('say of a failover that takes a minute that it has failed, and go on when it ends after all', () => {
    expect(nextChangeMs([], [open], at(10))).to.equal(50_000);
    const failed = nextAlerts(nextAlerts([], [open], taken(0), at(59)), [open], taken(0), at(60));
    expect(names(failed)).to.deep.equal(['IspFailover', 'IspFailoverFailed']);
    expect(failed[1]?.startsAt).to.equal(at(60).toISOString());
    const after = nextAlerts(failed, [serving], taken(61), at(61 + SEEN_MS / 1000));
    expect(after.map(({ endsAt }) => endsAt !== undefined)).to.deep.equal([false, true]);
  });

  it('say that a failover is refused, and who is missing', () => {
    const refused = { ...open, refusedAt: at(4).toISOString(), message: 'nobody may take over: no standby answers' };
    const alerts = nextAlerts([], [refused], untold, at(4));
    expect(names(alerts)).to.deep.equal(['IspFailover', 'IspFailoverRefused']);
    expect(alerts[1]?.description).to.contain('no standby answers');
    expect(alerts[1]?.startsAt).to.equal(at(4).toISOString());
  });

  it('keep an earlier failover that nobody has heard of beside the next one', () => {
    const second = { ...open, from: 'acme-postgres-1', detectedAt: at(30).toISOString() };
    const both = nextAlerts(nextAlerts([], [open], untold, at(1)), [second], untold, at(31));
    expect(both.map(({ failover }) => failover)).to.deep.equal([noticed, at(30).toISOString()]);
  });

  it('leave when every Alertmanager has their end, or when it has been repeated for long', () => {
    const ended: AlertStatus = {
      ...(nextAlerts([], [open], untold, at(0))[0] as AlertStatus),
      acceptedAt: at(0).toISOString(),
      endsAt: at(400).toISOString(),
    };
    expect(nextAlerts([ended], [redundant], untold, at(401))).to.deep.equal([ended]);
    expect(nextAlerts([ended], [redundant], () => ({ ended: true }), at(401))).to.deep.equal([]);
    expect(nextAlerts([ended], [redundant], untold, at(400 + END_REPEATED_MS / 1000))).to.deep.equal([]);
  });

  it('are given up when nobody took them for a day', () => {
    const begun = nextAlerts([], [open], untold, at(0));
    expect(nextAlerts(begun, [redundant], untold, at(GIVEN_UP_MS / 1000 - 1))).to.have.length(1);
    expect(nextAlerts(begun, [redundant], untold, at(GIVEN_UP_MS / 1000))).to.deep.equal([]);
  });

  it('are never more than twenty', () => {
    const many = Array.from({ length: 40 }, (_, second) => ({ ...open, detectedAt: at(second).toISOString() }));
    let alerts: AlertStatus[] = [];
    for (const failover of many) alerts = nextAlerts(alerts, [failover], untold, at(40));
    expect(alerts).to.have.length(20);
    expect(alerts.at(-1)?.failover).to.equal(at(39).toISOString());
  });
});
