import { Counter, Gauge, type Registry } from 'prom-client';
import type { AlertStatus } from '../core/platform.ts';
import type { Sent } from './alertmanager-client.ts';

type Labels = Readonly<Record<'namespace' | 'platform', string>>;

/** What became of alerts. */
export class AlertMetrics {
  readonly #requests: Counter;
  readonly #firing: Gauge;
  readonly #waiting: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ['namespace', 'platform'];
    this.#requests = new Counter({
      name: 'isp_alert_requests_total',
      help: 'Requests to an Alertmanager by result: accepted, refused (by what it answered), failed',
      labelNames: [...labelNames, 'alertmanager', 'result'],
      registers,
    });
    this.#firing = new Gauge({
      name: 'isp_alert_firing',
      help: 'Alerts that have not ended, by name',
      labelNames: [...labelNames, 'alertname'],
      registers,
    });
    this.#waiting = new Gauge({
      name: 'isp_alert_waiting',
      help: 'Alerts that no Alertmanager has taken yet',
      labelNames,
      registers,
    });
  }

  sent(labels: Labels, alertmanager: string, sent: Sent): void {
    const result = sent.ok ? 'accepted' : sent.refused ? 'refused' : 'failed';
    this.#requests.inc({ ...labels, alertmanager, result });
  }

  /** Takes over what a status says; undefined when the platform is gone, or has no Alertmanager. */
  observe(labels: Labels, alerts: readonly AlertStatus[] | undefined): void {
    for (const alertname of ['IspFailover', 'IspFailoverFailed', 'IspFailoverRefused']) {
      const count = alerts?.filter(({ name, endsAt }) => name === alertname && endsAt === undefined).length;
      if (count === undefined) this.#firing.remove({ ...labels, alertname });
      else this.#firing.set({ ...labels, alertname }, count);
    }
    if (alerts === undefined) this.#waiting.remove(labels);
    else this.#waiting.set(labels, alerts.filter(({ acceptedAt }) => acceptedAt === undefined).length);
  }
}
