import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestResult } from '../kube/transport.ts';
import type { ControllerMetrics } from './controller.ts';
import type { QueueMetrics } from './queue.ts';

const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const QUEUE_BUCKETS = [0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 600];

/** Metrics of the runtime under controller-runtime's and client-go's names, so that existing dashboards and alerts work. */
export class RuntimeMetrics {
  readonly registry: Registry;
  readonly #leader: Gauge<'name'>;
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #requestSeconds: Histogram<'method' | 'host'>;
  readonly #reconciles: Counter<'controller' | 'result'>;
  readonly #reconcileErrors: Counter<'controller'>;
  readonly #terminalErrors: Counter<'controller'>;
  readonly #reconcileSeconds: Histogram<'controller'>;
  readonly #activeWorkers: Gauge<'controller'>;
  readonly #handlerErrors: Counter<'informer'>;
  readonly #depth: Gauge<'name' | 'controller'>;
  readonly #adds: Counter<'name' | 'controller'>;
  readonly #retries: Counter<'name' | 'controller'>;
  readonly #queueSeconds: Histogram<'name' | 'controller'>;
  readonly #workSeconds: Histogram<'name' | 'controller'>;

  constructor(registry: Registry = new Registry()) {
    const registers = [registry];
    const queue = ['name', 'controller'] as const;
    this.registry = registry;
    this.#leader = new Gauge({
      name: 'leader_election_master_status',
      help: 'Whether this process holds the lease (1) or not (0).',
      labelNames: ['name'],
      registers,
    });
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server by status code, method and host.',
      labelNames: ['code', 'method', 'host'],
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Time until the API server began to answer.',
      labelNames: ['method', 'host'],
      buckets: RECONCILE_BUCKETS,
      registers,
    });
    this.#reconciles = new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by controller and result.',
      labelNames: ['controller', 'result'],
      registers,
    });
    this.#reconcileErrors = new Counter({
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed.',
      labelNames: ['controller'],
      registers,
    });
    this.#terminalErrors = new Counter({
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Reconciles that failed for good.',
      labelNames: ['controller'],
      registers,
    });
    this.#reconcileSeconds = new Histogram({
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Duration of reconciles.',
      labelNames: ['controller'],
      buckets: RECONCILE_BUCKETS,
      registers,
    });
    this.#activeWorkers = new Gauge({
      name: 'controller_runtime_active_workers',
      help: 'Reconciles under way.',
      labelNames: ['controller'],
      registers,
    });
    this.#handlerErrors = new Counter({
      name: 'informer_handler_errors_total',
      help: 'Handlers of changes that have thrown.',
      labelNames: ['informer'],
      registers,
    });
    this.#depth = new Gauge({
      name: 'workqueue_depth',
      help: 'Keys that wait.',
      labelNames: queue,
      registers,
    });
    this.#adds = new Counter({
      name: 'workqueue_adds_total',
      help: 'Keys added.',
      labelNames: queue,
      registers,
    });
    this.#retries = new Counter({
      name: 'workqueue_retries_total',
      help: 'Keys added again after a failure.',
      labelNames: queue,
      registers,
    });
    this.#queueSeconds = new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long keys wait before work on them starts.',
      labelNames: queue,
      buckets: QUEUE_BUCKETS,
      registers,
    });
    this.#workSeconds = new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long work on a key takes.',
      labelNames: queue,
      buckets: QUEUE_BUCKETS,
      registers,
    });
  }

  /** Adds the process's own: memory, CPU, event loop. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** For `WorkQueue`. */
  queue(name: string): QueueMetrics {
    const labels = { name, controller: name };
    return {
      depth: (length) => this.#depth.set(labels, length),
      added: () => this.#adds.inc(labels),
      waited: (seconds) => this.#queueSeconds.observe(labels, seconds),
      worked: (seconds) => this.#workSeconds.observe(labels, seconds),
      retried: () => this.#retries.inc(labels),
    };
  }

  /** For `Controller`. */
  controller(controller: string): ControllerMetrics {
    return {
      reconciled: (outcome, seconds) => {
        const failed = outcome === 'error' || outcome === 'terminal_error';
        this.#reconciles.inc({ controller, result: failed ? 'error' : outcome });
        this.#reconcileSeconds.observe({ controller }, seconds);
        if (failed) this.#reconcileErrors.inc({ controller });
        if (outcome === 'terminal_error') this.#terminalErrors.inc({ controller });
      },
      active: (workers) => this.#activeWorkers.set({ controller }, workers),
    };
  }

  /** For `KubeClient`: its `onResult`. */
  request({ code, method, host, durationMs }: RequestResult): void {
    this.#requests.inc({ code, method, host });
    this.#requestSeconds.observe({ method, host }, durationMs / 1000);
  }

  /** For `LeaderElector`: its `onLeading`. */
  leading(name: string, leading: boolean): void {
    this.#leader.set({ name }, leading ? 1 : 0);
  }

  /** For `Informer`: its `onHandlerError`. */
  handlerError(informer: string): void {
    this.#handlerErrors.inc({ informer });
  }
}
