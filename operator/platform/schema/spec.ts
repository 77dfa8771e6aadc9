import { z } from 'zod';
import { alertsSpecSchema } from './alerts-spec.ts';
import { apiSpecSchema } from './api-spec.ts';
import { image } from './fields.ts';
import { postgresSpecSchema } from './postgres-spec.ts';
import { rabbitmqSpecSchema } from './rabbitmq-spec.ts';
import { redisSpecSchema } from './redis-spec.ts';
import { workerSpecSchema } from './worker-spec.ts';

export const MAX_CUSTOMERS = 50000;

const beatSpecSchema = z
  .strictObject({
    enabled: z.boolean().exactOptional().describe('Whether scheduled tasks are sent.'),
  })
  .describe('The scheduler of recurring tasks.');

const imagesSpecSchema = z
  .strictObject({
    api: image().exactOptional().describe('Image of the reference API, worker, beat and migrations.'),
    postgres: image().exactOptional().describe('Image with Postgres and Patroni.'),
    redis: image().exactOptional().describe('Image of Redis.'),
    rabbitmq: image().exactOptional().describe('Image of RabbitMQ.'),
    haproxy: image().exactOptional().describe('Image of HAProxy.'),
    pgbouncer: image().exactOptional().describe('Image of PgBouncer.'),
  })
  .describe("Images in place of the operator's own choice, e.g. from a registry of one's own.");

const failoverSpecSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .exactOptional()
      .describe('Whether the operator hastens failovers. The engines elect by themselves either way.'),
    probeIntervalSeconds: z
      .int()
      .min(1)
      .max(60)
      .exactOptional()
      .describe('Seconds between two probes of the Postgres primary.'),
    failureThreshold: z
      .int()
      .min(1)
      .max(20)
      .exactOptional()
      .describe('Probes that fail one after the other before the primary is taken for lost.'),
  })
  .describe('How the loss of the Postgres primary is noticed and answered.');

const sloSpecSchema = z
  .strictObject({
    availability: z
      .string()
      .max(8)
      .regex(/^[0-9]{1,2}(\.[0-9]{1,4})?$/)
      .exactOptional()
      .describe('Share of requests that must succeed, in percent, below 100; quoted, e.g. "99.95".'),
    latencyP95Milliseconds: z
      .int()
      .min(1)
      .max(60000)
      .exactOptional()
      .describe('Milliseconds within which 95 % of the requests are answered.'),
    latencyP99Milliseconds: z
      .int()
      .min(1)
      .max(60000)
      .exactOptional()
      .describe('Milliseconds within which 99 % of the requests are answered.'),
  })
  .describe('Service levels that alerts are derived from.');

/** The `spec` of an IspSupportPlatform as users write it: every field may be left out. */
export const platformSpecSchema = z
  .strictObject({
    customers: z
      .int()
      .min(1)
      .max(MAX_CUSTOMERS)
      .exactOptional()
      .describe(
        'Customers to serve: sizes everything below that is not set, by the tier (100, 1000, 10000, 50000) that holds them.',
      ),
    paused: z.boolean().exactOptional().describe('Observe and report, change nothing.'),
    api: apiSpecSchema.exactOptional(),
    postgres: postgresSpecSchema.exactOptional(),
    redis: redisSpecSchema.exactOptional(),
    rabbitmq: rabbitmqSpecSchema.exactOptional(),
    workers: z
      .array(workerSpecSchema)
      .max(12)
      .exactOptional()
      .describe('Pools of workers, in place of the default pools ai, messages, reports and webhooks.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    beat: beatSpecSchema.exactOptional(),
    images: imagesSpecSchema.exactOptional(),
    failover: failoverSpecSchema.exactOptional(),
    slo: sloSpecSchema.exactOptional(),
    alerts: alertsSpecSchema.exactOptional(),
  })
  .describe('What the platform is to be. Every field may be left out.');

export type PlatformSpec = z.input<typeof platformSpecSchema>;
