import { Counter, collectDefaultMetrics, Gauge, Histogram, register } from 'prom-client';
import type { Outcome } from './outcome.ts';
import type { TaskMessage } from './protocol.ts';

/** What a worker has in hand at a moment. */
export interface InHand {
  waiting: number;
  /** When the oldest came, in milliseconds since the epoch. */
  oldest: number | undefined;
}

export interface WorkerMetrics {
  /**
   * @param waitedMs since the task was sent and its time had come; undefined where the message does not tell.
   * Call what it returns when the task has ended; that returns the seconds it took.
   */
  started(queue: string, waitedMs: number | undefined): (task: TaskMessage, outcome: Outcome) => number;
  /** Has what is in hand read whenever the metrics are. */
  watch(inHand: () => InHand): void;
  deadLettered(queue: string): void;
  resultLost(): void;
}

const NOT_REGISTERED = 'NotRegistered';

export function openWorkerMetrics(): WorkerMetrics {
  collectDefaultMetrics();
  const tasks = new Counter({
    name: 'isp_tasks_total',
    help: 'Tasks that ended, by outcome',
    labelNames: ['task', 'outcome'],
  });
  const duration = new Histogram({
    name: 'isp_task_duration_seconds',
    help: 'Time that tasks ran',
    labelNames: ['task'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 3_600],
  });
  const running = new Gauge({ name: 'isp_tasks_running', help: 'Tasks that run now' });
  const wait = new Histogram({
    name: 'isp_task_wait_seconds',
    help: 'Time from sending to the start, of messages that say when they were sent, to the second',
    labelNames: ['queue'],
    buckets: [1, 2, 5, 15, 60, 300, 900, 3_600],
  });
  const dead = new Counter({
    name: 'isp_dead_letters_total',
    help: 'Messages moved to the dead letters',
    labelNames: ['queue'],
  });
  const lost = new Counter({ name: 'isp_task_results_lost_total', help: 'Results that Redis did not take in time' });
  return {
    started(queue, waitedMs) {
      running.inc();
      if (waitedMs !== undefined) wait.observe({ queue }, Math.max(waitedMs, 0) / 1_000);
      const began = performance.now();
      return (message, outcome) => {
        running.dec();
        // A name that nobody registered comes from outside, and would be a series of its own each time.
        const unknown = outcome.kind === 'failure' && outcome.error.exc_type === NOT_REGISTERED;
        const task = unknown ? 'unknown' : message.task;
        tasks.inc({ task, outcome: outcome.kind });
        const seconds = (performance.now() - began) / 1_000;
        duration.observe({ task }, seconds);
        return seconds;
      };
    },
    watch(inHand) {
      new Gauge({
        name: 'isp_tasks_waiting',
        help: "Tasks that wait in this worker's hands",
        collect() {
          this.set(inHand().waiting);
        },
      });
      new Gauge({
        name: 'isp_oldest_task_age_seconds',
        help: "Time since the oldest task in this worker's hands came",
        collect() {
          const { oldest } = inHand();
          this.set(oldest === undefined ? 0 : Math.max(Date.now() - oldest, 0) / 1_000);
        },
      });
    },
    deadLettered: (queue) => dead.inc({ queue }),
    resultLost: () => lost.inc(),
  };
}

export function metricsText(): Promise<string> {
  return register.metrics();
}
