import { z } from 'zod';
import type { PlatformStatus } from '../core/platform.ts';

// What the operator itself writes needs no bounds: whatever it reports should be stored rather than refused.
const count = (what: string) => z.int().describe(what);
const text = (what: string) => z.string().describe(what);
const time = (what: string) => z.string().describe(what).meta({ format: 'date-time' });

const condition = z
  .object({
    type: text('Kind of condition, e.g. Ready.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    reason: text('Why, as one word.'),
    message: text('Why, and what to do about it.'),
    lastTransitionTime: time('When status last changed.'),
    observedGeneration: count('Generation of the resource that was looked at.').exactOptional(),
  })
  .describe('One aspect of the state of the platform.');

const member = z
  .object({
    name: text('Pod of the member.'),
    role: text('Role as Patroni has it.'),
    state: text('State as Patroni has it, e.g. running, streaming.'),
    lagBytes: count('Bytes of WAL that the member is behind the primary.').exactOptional(),
  })
  .describe('One member.');

const workerPool = z
  .object({
    name: text('Name of the pool.'),
    replicas: count('Pods wanted.'),
    readyReplicas: count('Pods ready.'),
    queueLength: count('Messages in the queues of the pool, ready and unacknowledged.').exactOptional(),
    desiredReplicas: count('Pods that the backlog asks for, within the bounds.').exactOptional(),
    busyReplicas: count('Pods that may have a task in hand; never fewer are left by scaling in.').exactOptional(),
    oldestMessageAt: time('When the oldest waiting message came, as far as the operator has watched.').exactOptional(),
    lowSince: time('Since when fewer pods would do.').exactOptional(),
    lowPeak: count('The most pods that were needed since then.').exactOptional(),
    lastScale: z
      .object({
        from: count('Pods before.'),
        to: count('Pods after.'),
        reason: text('Backlog, OldestMessage, Idle, or Bounds where the resource itself was changed.'),
        at: time('When.'),
      })
      .describe('The latest change of the number of pods.')
      .exactOptional(),
  })
  .describe('One pool.');

const pooler = z
  .object({ replicas: count('Pods wanted.'), readyReplicas: count('Pods ready.') })
  .describe('Pods of one pooler.');

const failover = z
  .object({
    component: text('What failed over.'),
    from: text('Pod that was the primary; of Redis all that were lost at once.').exactOptional(),
    to: text('Pod that became the primary; of Redis one for each that was lost.').exactOptional(),
    reason: text('What was found wrong.'),
    detectedAt: time('When the loss was noticed.').exactOptional(),
    fencedAt: time('When the old primary was known to take no more writes.').exactOptional(),
    promotedAt: time('When the new primary was promoted.').exactOptional(),
    servingAt: time('When the new primary answered.').exactOptional(),
    rtoSeconds: z.number().describe('Seconds from detectedAt to servingAt.').exactOptional(),
    redundantAt: time('When every member served again.').exactOptional(),
    step: text('How far it is: Confirmed, Fencing, Fenced, Electing, Ordered, Serving, Redundant.').exactOptional(),
    podUID: text('UID of the pod that is fenced.').exactOptional(),
    proof: text('How it is known that the old primary takes no more writes.').exactOptional(),
    message: text('What it waits for, why nobody may take over, or by whose doing another one did.').exactOptional(),
    refusedAt: time('Since when nobody may take over.').exactOptional(),
    outcome: text('How it ended, or how far it is.'),
  })
  .describe('The latest failover, step by step.');

const switchover = z
  .object({
    request: text('Value of the annotation isp.support/switchover that was acted on last; empty if none was.'),
    reason: text(
      'What the operator moved it for by itself: RollingUpdate, ScaleIn, ParameterChange, NodeDrain, DiskFull.',
    ).exactOptional(),
    from: text('Pod that was the primary.').exactOptional(),
    to: text('Pod that became the primary.').exactOptional(),
    outcome: text('How it ended, or how far it is.'),
    message: text('Why it was refused or failed.').exactOptional(),
    startedAt: time('When it was begun.').exactOptional(),
    finishedAt: time('When it ended.').exactOptional(),
  })
  .describe('The latest planned move of the Postgres primary.');

const restart = z
  .object({
    member: text('Pod of the primary.'),
    reason: text('What for: ParameterChange.'),
    parameters: z.array(z.string()).describe('Parameters that took effect with it.').exactOptional(),
    outcome: text('How it ended, or how far it is.'),
    message: text('Why it failed.').exactOptional(),
    startedAt: time('When it was begun.').exactOptional(),
    finishedAt: time('When it ended.').exactOptional(),
  })
  .describe('The latest planned restart of the Postgres primary where it is.');

const alert = z
  .object({
    name: text('Its label alertname.'),
    component: text('Component that it is about.'),
    failover: time('When the failover that it is about was noticed.'),
    summary: text('What has happened.'),
    description: text('What to do.'),
    startsAt: time('When its cause began.'),
    acceptedAt: time('When an Alertmanager took it.').exactOptional(),
    endsAt: time('When it ended.').exactOptional(),
  })
  .describe('One alert.');

/** The `status` of an IspSupportPlatform. */
export const platformStatusSchema = z
  .object({
    observedGeneration: count('Generation of the resource that this status is about.').exactOptional(),
    version: text('Version of the operator that wrote this status.').exactOptional(),
    conditions: z
      .array(condition)
      .describe('State of the platform and its components.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
      .exactOptional(),
    customers: count('Customers of the tier in force.').exactOptional(),
    api: z
      .object({
        replicas: count('Pods there are.'),
        readyReplicas: count('Pods ready.'),
        selector: text('Label selector of the pods, for the scale subresource.'),
        ready: text('Pods ready and wanted, e.g. 2/2.'),
      })
      .describe('The API.')
      .exactOptional(),
    postgres: z
      .object({
        primary: text('Pod that is the primary.').exactOptional(),
        timeline: count('Timeline; each promotion starts a new one.').exactOptional(),
        members: z
          .array(member)
          .describe('Members of the cluster.')
          .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
          .exactOptional(),
        passwordRotation: z
          .object({
            request: text('Value of the annotation isp.support/rotate-postgres-password that is or was acted on last.'),
            phase: text(
              'Preparing: the members get the new password; Retiring: it is in force, the last is valid too; Done.',
            ),
            username: text('Role that logs in.').exactOptional(),
            message: text('What it waits for.').exactOptional(),
          })
          .describe('The latest rotation of the password of the application.')
          .exactOptional(),
      })
      .describe('Postgres.')
      .exactOptional(),
    pooler: z
      .object({ writes: pooler, reads: pooler })
      .describe('The pooler of Postgres, while it is wanted.')
      .exactOptional(),
    redis: z
      .object({
        mode: text('cluster or sentinel.'),
        state: text('State as Redis has it, e.g. ok, fail.'),
        masters: count('Primaries there are.'),
        replicas: count('Replicas there are.'),
        slotsAssigned: count('Slots that have a primary; all are 16384.'),
        resharding: z
          .object({
            from: count('Shards that there were.'),
            to: count('Shards that there are to be.'),
            moved: count('Slots moved so far.'),
            total: count('Slots to move in all.'),
          })
          .describe('Present while slots are moved between shards.')
          .exactOptional(),
        passwordRotation: z
          .object({
            request: text('Value of the annotation isp.support/rotate-redis-password that is or was acted on last.'),
            phase: text(
              'Preparing: the servers get the new password; Retiring: it is in force, the last is valid too; Done.',
            ),
            message: text('What it waits for.').exactOptional(),
          })
          .describe('The latest rotation of the password.')
          .exactOptional(),
        primaries: z
          .array(z.string())
          .describe('Pods that are the primaries, or were when they were last seen, by shard.')
          .exactOptional(),
        crowded: z
          .object({
            node: text('Kubernetes node with the most primaries.'),
            primaries: count('How many it has.'),
            since: time(
              'Since when nothing else is under way, or the last one was moved; after a minute one is moved.',
            ),
          })
          .describe(
            'Present while primaries could be spread better over the Kubernetes nodes and nothing else is under way.',
          )
          .exactOptional(),
        lastFailover: failover.exactOptional(),
      })
      .describe('Redis.')
      .exactOptional(),
    rabbitmq: z
      .object({
        runningNodes: z.array(z.string()).describe('Nodes that run.'),
        quorumCritical: z.array(z.string()).describe('Nodes without which a queue would lose its majority.'),
        bootRestarts: z
          .array(
            z.object({
              pod: text('Pod of the node.'),
              count: z.int().min(1).describe('How often it was started anew since it last ran.'),
            }),
          )
          .describe('Nodes that did not come up.')
          .exactOptional(),
        membership: z
          .object({
            name: text(
              'Growing: a node gets replicas of queues; Shrinking, Stopping, Forgetting: it is taken away; Refused: it is not.',
            ),
            node: text('Pod of the node that it is about.'),
            message: text('Why it waits or is refused.').exactOptional(),
          })
          .describe('Present while nodes or replicas of queues come or go.')
          .exactOptional(),
        passwordRotation: z
          .object({
            request: text('Value of the annotation isp.support/rotate-rabbitmq-password that is or was acted on last.'),
            phase: text(
              'Preparing: the nodes get the new login; Retiring: it is in force, the last is valid too; Done.',
            ),
            username: text('User that logs in.').exactOptional(),
            message: text('What it waits for.').exactOptional(),
          })
          .describe('The latest rotation of the password of the application.')
          .exactOptional(),
      })
      .describe('RabbitMQ.')
      .exactOptional(),
    workers: z
      .array(workerPool)
      .describe('The pools of workers.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .exactOptional(),
    lastFailover: failover.exactOptional(),
    lastSwitchover: switchover.exactOptional(),
    certificates: z
      .object({
        authority: text('Authority that signs: first 16 digits of the SHA-256 of its certificate.'),
        authorityExpires: time('When its certificate ends; it is replaced long before.'),
        trusted: z.array(z.string()).describe('Authorities in the bundle that clients verify with.'),
        leaves: z
          .array(
            z.object({
              name: text('Secret of the certificate.'),
              id: text('First 16 digits of the SHA-256 of the certificate.'),
              expires: time('When it ends; it is replaced months before.'),
            }),
          )
          .describe('Certificates of the servers.')
          .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
        rotation: z
          .object({
            phase: text(
              'Idle; Trusting: the next authority is made known; Replacing: it signs, the last one is still trusted.',
            ),
            request: text('Value of the annotation isp.support/rotate-ca that was acted on last.').exactOptional(),
            message: text('What it waits for.').exactOptional(),
          })
          .describe('The latest replacement of the authority.')
          .exactOptional(),
      })
      .describe(
        'TLS: the authority of the platform and what it has signed. Present while something is served with TLS.',
      )
      .exactOptional(),
    lastRestart: restart.exactOptional(),
    alerts: z.array(alert).describe('Alerts that an Alertmanager is being told of.').exactOptional(),
  })
  .describe('What the operator found and did.');

type Written = z.input<typeof platformStatusSchema>;

/** Compiles only while what the components write is what the resource definition stores, and the other way round. */
export type StatusAgrees = [
  Written extends PlatformStatus ? true : never,
  PlatformStatus extends Written ? true : never,
  Exclude<keyof PlatformStatus, keyof Written> extends never ? true : never,
];
