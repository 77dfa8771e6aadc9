import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { alertingCondition } from '../../../operator/platform/alerts/condition.ts';
import { AlertSender } from '../../../operator/platform/alerts/sender.ts';
import type { AlertStatus, Platform } from '../../../operator/platform/core/platform.ts';
import { systemClock } from '../../../operator/runtime/clock.ts';
import { freePort, scratch, start, stop } from '../../api/support/daemon.ts';
import { installServers } from '../../api/support/packages.ts';
import { eventually } from '../../support/eventually.ts';

const KEY = 'support/acme';
const platform: Platform = {
  apiVersion: 'isp.support/v1alpha1',
  kind: 'IspSupportPlatform',
  metadata: { name: 'acme', namespace: 'support' },
};

/** What Alertmanager tells whoever is to be woken. */
interface Notification {
  readonly status: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly startsAt: string;
  }[];
}

/** Who is woken. */
class Pager {
  readonly notifications: Notification[] = [];
  readonly #server: Server = createServer(async (request, response) => {
    this.notifications.push((await json(request)) as Notification);
    response.end();
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('alerts by way of a real Alertmanager', function () {
  this.timeout(120_000);
  const pager = new Pager();
  let folder: string;
  let url: string;
  let alertmanager: ChildProcess;
  let sender: AlertSender;

  before(async () => {
    installServers();
    folder = scratch('alertmanager');
    const settings = {
      route: { receiver: 'pager', group_by: ['alertname'], group_wait: '0s', group_interval: '1s' },
      receivers: [{ name: 'pager', webhook_configs: [{ url: await pager.start(), send_resolved: true }] }],
    };
    await writeFile(join(folder, 'alertmanager.yml'), stringify(settings));
    const address = `127.0.0.1:${await freePort()}`;
    url = `http://${address}`;
    const options = {
      'config.file': join(folder, 'alertmanager.yml'),
      'storage.path': folder,
      'web.listen-address': address,
      'cluster.listen-address': '',
      'log.level': 'warn',
    };
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    alertmanager = start({ command: '/usr/bin/prometheus-alertmanager', args: flags, folder });
    await eventually(async () => expect((await fetch(`${url}/-/ready`)).status).to.equal(200), 30_000);
    sender = new AlertSender({ clock: systemClock, readToken: async () => undefined, onChange: () => undefined });
  });

  after(async () => {
    sender.stop();
    await stop(alertmanager, 'SIGTERM');
    pager.stop();
    await rm(folder, { recursive: true });
  });

  it('wake somebody once, and say when it is over', async () => {
    const failover = new Date().toISOString();
    const alert: AlertStatus = {
      name: 'IspFailover',
      component: 'postgres',
      failover,
      startsAt: failover,
      summary: 'postgres primary acme-postgres-0 was lost (PrimaryTimeout); a failover is under way',
      description: 'Nothing can be written.',
    };
    sender.sync(KEY, platform, { urls: [url] }, []);
    await eventually(() =>
      expect(alertingCondition(sender.health(KEY), undefined)).to.include({ status: 'True', reason: 'Delivering' }),
    );
    sender.sync(KEY, platform, { urls: [url] }, [alert]);
    await eventually(() => expect(pager.notifications).to.have.length(1));
    expect(pager.notifications[0]).to.include({ status: 'firing' });
    const [told, ...more] = pager.notifications[0]?.alerts ?? [];
    expect(more).to.deep.equal([]);
    expect(told?.labels).to.include({ alertname: 'IspFailover', severity: 'critical', platform: 'acme', failover });
    expect(told?.annotations['summary']).to.equal(`support/acme: ${alert.summary}`);
    expect(told?.startsAt).to.equal(failover);
    const changed = { ...alert, summary: 'acme-postgres-1 took over' };
    sender.sync(KEY, platform, { urls: [url] }, [changed]);
    const held = async () =>
      (await (await fetch(`${url}/api/v2/alerts`)).json()) as { annotations: { summary: string } }[];
    await eventually(async () =>
      expect((await held()).map(({ annotations }) => annotations.summary)).to.deep.equal([
        `support/acme: ${changed.summary}`,
      ]),
    );
    const ended = { ...changed, endsAt: new Date().toISOString() };
    sender.sync(KEY, platform, { urls: [url] }, [ended]);
    await eventually(() => expect(pager.notifications.at(-1)).to.include({ status: 'resolved' }), 30_000);
    expect(pager.notifications.map(({ status }) => status)).to.deep.equal(['firing', 'resolved']);
    await eventually(() => expect(sender.deliveryOf(KEY, ended).ended).to.equal(true));
  });
});
