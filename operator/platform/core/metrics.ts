import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Sent } from '../alerts/alertmanager-client.ts';
import { AlertMetrics } from '../alerts/metrics.ts';
import { failoversOf } from './failovers.ts';
import type { AlertStatus, FailoverStatus, Platform, PlatformStatus } from './platform.ts';
import type { ProbeObservation } from './probe-board.ts';
import { ProbeFigures } from './probe-figures.ts';
import { RedisMetrics } from './redis-metrics.ts';
import { WorkerMetrics } from './worker-metrics.ts';

/** The platform's own metrics; those of the runtime are named after controller-runtime's. */
export class PlatformMetrics {
  readonly #ready: Gauge;
  readonly #failovers: Counter;
  readonly #failoverSeconds: Histogram;
  readonly #probeSuccess: Gauge;
  readonly #probeSeconds: Histogram;
  readonly #redis: RedisMetrics;
  readonly #alerts: AlertMetrics;
  readonly #figures: ProbeFigures;
  readonly #workers: WorkerMetrics;
  /** The failover that has been counted last, by platform and component. */
  readonly #counted = new Map<string, string>();

  constructor(registry: Registry) {
    this.#redis = new RedisMetrics(registry);
    this.#alerts = new AlertMetrics(registry);
    this.#figures = new ProbeFigures(registry);
    this.#workers = new WorkerMetrics(registry);
    const registers = [registry];
    const platform = ['namespace', 'platform'];
    this.#ready = new Gauge({
      name: 'isp_platform_ready',
      help: '1 while the platform is Ready',
      labelNames: platform,
      registers,
    });
    this.#failovers = new Counter({
      name: 'isp_failover_total',
      help: 'Failovers that have ended, by outcome',
      labelNames: [...platform, 'component', 'outcome'],
      registers,
    });
    this.#failoverSeconds = new Histogram({
      name: 'isp_failover_duration_seconds',
      help: 'From the moment a failure was detected until writes were served again',
      labelNames: [...platform, 'component'],
      buckets: [0.5, 1, 2, 4, 6, 8, 12, 20, 40, 80, 160, 300],
      registers,
    });
    this.#probeSuccess = new Gauge({
      name: 'isp_component_probe_success',
      help: '1 when the newest probe succeeded',
      labelNames: [...platform, 'component', 'probe'],
      registers,
    });
    this.#probeSeconds = new Histogram({
      name: 'isp_component_probe_duration_seconds',
      help: 'How long probes take',
      labelNames: [...platform, 'component'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
  }

  /** Takes over what a status says. */
  observe(platform: Platform, status: PlatformStatus): void {
    const labels = labelsOf(`${platform.metadata.namespace ?? ''}/${platform.metadata.name}`);
    this.#ready.set(
      labels,
      status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ? 1 : 0,
    );
    this.#workers.observe(labels, status.workers ?? []);
    this.#redis.observe(labels, status.redis);
    const before = failoversOf(platform.status ?? {});
    for (const failover of failoversOf(status)) this.#observeFailover(labels, before, failover);
  }

  /** Takes over what is being alerted; undefined when nobody is told. */
  alerting(platformKey: string, alerts: readonly AlertStatus[] | undefined): void {
    this.#alerts.observe(labelsOf(platformKey), alerts);
  }

  alertSent(platformKey: string, alertmanager: string, sent: Sent): void {
    this.#alerts.sent(labelsOf(platformKey), alertmanager, sent);
  }

  probed({ platform, component, probe, success, seconds, measures }: ProbeObservation): void {
    const labels = labelsOf(platform);
    this.#probeSuccess.set({ ...labels, component, probe }, success ? 1 : 0);
    this.#probeSeconds.observe({ ...labels, component }, seconds);
    this.#figures.observe(labels, probe, measures ?? {});
  }

  /** A probe that is no longer run has no newest result. */
  probeRemoved(platformKey: string, component: string, probe: string): void {
    this.#probeSuccess.remove({ ...labelsOf(platformKey), component, probe });
    this.#figures.observe(labelsOf(platformKey), probe, {});
  }

  /** Drops the series of a platform that is gone. */
  forget(platformKey: string): void {
    this.#ready.remove(labelsOf(platformKey));
    this.#redis.observe(labelsOf(platformKey), undefined);
    this.#workers.observe(labelsOf(platformKey), []);
    this.#alerts.observe(labelsOf(platformKey), undefined);
    for (const key of this.#counted.keys()) if (key.startsWith(`${platformKey} `)) this.#counted.delete(key);
  }

  #observeFailover(labels: PlatformLabels, before: readonly FailoverStatus[], failover: FailoverStatus): void {
    const { component, outcome, detectedAt, rtoSeconds } = failover;
    if (outcome === 'InProgress') return;
    const key = `${labels.namespace}/${labels.platform} ${component}`;
    const id = `${detectedAt ?? ''} ${outcome}`;
    // One that was in the status before this process had seen the platform has been counted by the process that drove it.
    const isOld =
      this.#counted.get(key) === undefined &&
      before.some((one) => one.component === component && one.detectedAt === detectedAt && one.outcome === outcome);
    const isCounted = this.#counted.get(key) === id;
    this.#counted.set(key, id);
    if (isOld || isCounted) return;
    this.#failovers.inc({ ...labels, component, outcome });
    if (rtoSeconds !== undefined) this.#failoverSeconds.observe({ ...labels, component }, rtoSeconds);
  }
}

type PlatformLabels = Readonly<Record<'namespace' | 'platform', string>>;

function labelsOf(platformKey: string): PlatformLabels {
  const [namespace = '', platform = ''] = platformKey.split('/');
  return { namespace, platform };
}
