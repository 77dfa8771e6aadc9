import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Gauge, Histogram, register } from 'prom-client';

const requestDuration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time from a request to the end of its response',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2.5, 5, 10],
});

/** Starts counting; `pending` is the number of tasks that wait in the outbox. */
export function startMetrics(pending: () => number): void {
  collectDefaultMetrics();
  new Gauge({
    name: 'isp_outbox_pending',
    help: 'Tasks in the outbox that RabbitMQ has not confirmed',
    aggregator: 'max',
    collect() {
      this.set(pending());
    },
  });
}

/** Times each request under its route's pattern, so that ids in paths make no series of their own. */
export function timeRequests(): RequestHandler {
  return (request, response, next) => {
    const stop = requestDuration.startTimer({ method: request.method });
    response.once('close', () => {
      const route = request.route ? `${request.baseUrl}${request.route.path}` : 'none';
      // A client that went away before the response was sent.
      const status = response.writableFinished ? response.statusCode : 499;
      stop({ route, status });
    });
    next();
  };
}

/** The text of this process's metrics. */
export function ownMetrics(): Promise<string> {
  return register.metrics();
}
