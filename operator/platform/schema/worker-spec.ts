import { z } from 'zod';
import { command, image, minAtMostMax, queueName, resources, rules, says } from './fields.ts';

const autoscaling = z
  .strictObject({
    by: z
      .enum(['operator', 'keda'])
      .exactOptional()
      .describe(
        'Who sets the number of pods: the operator, or KEDA, which the cluster then has to have. Default: operator.',
      ),
    minReplicas: z
      .int()
      .min(0)
      .max(200)
      .exactOptional()
      .describe('Fewest pods; with 0 there are none while the queues are empty.'),
    maxReplicas: z.int().min(1).max(200).exactOptional().describe('Most pods.'),
    targetQueueLength: z
      .int()
      .min(1)
      .max(100000)
      .exactOptional()
      .describe('Messages, waiting and in hand, for each pod, around which the number of pods is kept.'),
    targetAgeSeconds: z
      .int()
      .min(5)
      .max(86400)
      .exactOptional()
      .describe(
        'Seconds that the oldest waiting message may wait; beyond, pods are added even where there are few messages.',
      ),
    scaleInAfterSeconds: z
      .int()
      .min(10)
      .max(86400)
      .exactOptional()
      .describe(
        'Seconds for which fewer pods must have been enough before any is taken away; the same again before the next ones.',
      ),
  })
  .describe('Bounds within which the number of pods follows the backlog of the queues.')
  .meta(
    rules(minAtMostMax, {
      rule: "!(has(self.by) && self.by == 'keda' && has(self.targetAgeSeconds))",
      fieldPath: '.targetAgeSeconds',
      message: 'KEDA knows no age of messages',
      messageExpression: says(
        'targetAgeSeconds is %d, and by is keda, which knows no age of messages: remove one of them',
        'self.targetAgeSeconds',
      ),
    }),
  );

export const workerSpecSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(30)
      .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
      .describe(
        'Name of the pool, unique in the platform. The pools ai, messages, reports and webhooks have defaults of their own.',
      ),
    queues: z
      .array(queueName())
      .min(1)
      .max(16)
      .exactOptional()
      .describe(
        'Queues that the pool consumes, the first most urgently; pools may share one. Default: the queues of the default pool of that name, else one queue named after the pool.',
      )
      .meta({ 'x-kubernetes-list-type': 'set' }),
    concurrency: z.int().min(1).max(128).exactOptional().describe('Tasks at a time in each pod.'),
    prefetch: z.int().min(1).max(1000).exactOptional().describe('Messages that each task slot reserves ahead of time.'),
    maxTasksPerChild: z
      .int()
      .min(1)
      .max(1000000)
      .exactOptional()
      .describe('Tasks after which a child process is replaced by a new one.'),
    timeLimitSeconds: z.int().min(2).max(86400).exactOptional().describe('Seconds after which a task is killed.'),
    softTimeLimitSeconds: z
      .int()
      .min(1)
      .max(86400)
      .exactOptional()
      .describe('Seconds after which a task is told to end; less than timeLimitSeconds.'),
    replicas: z.int().min(0).max(200).exactOptional().describe('A fixed number of pods.'),
    autoscaling: autoscaling.exactOptional(),
    image: image()
      .exactOptional()
      .describe("Image of the worker, e.g. one's own Celery application. Default: the reference worker's."),
    command: command().exactOptional().describe("Command of the worker's container; needs image."),
    resources: resources('a worker pod').exactOptional(),
  })
  .describe('A pool of workers.')
  .meta(
    rules(
      {
        rule: '!has(self.softTimeLimitSeconds) || !has(self.timeLimitSeconds) || self.softTimeLimitSeconds < self.timeLimitSeconds',
        fieldPath: '.softTimeLimitSeconds',
        message: 'softTimeLimitSeconds must be less than timeLimitSeconds',
        messageExpression: says(
          'softTimeLimitSeconds of pool %s is %d; it must be less than timeLimitSeconds, %d, to leave a task time to end',
          'self.name',
          'self.softTimeLimitSeconds',
          'self.timeLimitSeconds',
        ),
      },
      {
        rule: '!(has(self.replicas) && has(self.autoscaling))',
        fieldPath: '.replicas',
        message: 'replicas and autoscaling exclude each other',
        messageExpression: says(
          'replicas of pool %s is %d while autoscaling is set, and the two exclude each other: remove one of them',
          'self.name',
          'self.replicas',
        ),
      },
      {
        rule: '!has(self.command) || has(self.image)',
        fieldPath: '.command',
        message: 'command needs image',
        messageExpression: says(
          'command of pool %s is %s without an image: set image to the one that the command belongs to, or remove command',
          'self.name',
          'self.command',
        ),
      },
    ),
  );
