import { type Job, resources } from '../../../kube/resources.ts';
import type { BlockedBy, Component, ComponentPlan, ConditionPlan, Scope } from '../../core/component.ts';
import { shortHash } from '../../core/hash.ts';
import { childName, namespaceOf, selectorLabels } from '../../core/names.ts';
import { hasPooledRoute } from '../../pooler/route.ts';
import { databaseAccess } from '../database-access.ts';
import { applicationPod } from '../pod.ts';
import { blockedCondition } from '../rollout.ts';

const COMMAND = ['node', '/app/migrate.js'];

/** The database's schema: one Job for each version of the application's image, done before anything of that version starts. */
export const migrationsComponent: Component = {
  name: 'migrations',
  dependsOn: ['credentials', 'postgres'],
  probes: () => [],
  plan,
};

function plan(scope: Scope, blockedBy: readonly BlockedBy[]): ComponentPlan {
  const { platform, children } = scope;
  const job = migrationJob(scope);
  const { name } = job.metadata;
  const live = children.get<Job>({ resource: resources.jobs, namespace: namespaceOf(platform), name });
  const finished = (live?.status?.succeeded ?? 0) > 0;
  // Once done, a version stays done: a database that is away later takes nothing back.
  if (blockedBy.length > 0 && live === undefined)
    return { objects: [], condition: blockedCondition('the migration of the database', blockedBy) };
  const earlier = children
    .list<Job>(resources.jobs, 'migrations')
    .filter((other) => finished && other.metadata.name !== name)
    .map(({ metadata }) => ({
      ref: { resource: resources.jobs, namespace: namespaceOf(platform), name: metadata.name },
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    }));
  // A Job's template cannot be changed, and a version's migration needs no change: it is made once.
  return { objects: [], creates: [job], remove: earlier, condition: conditionOf(name, live) };
}

function conditionOf(name: string, job: Job | undefined): ConditionPlan {
  if ((job?.status?.succeeded ?? 0) > 0)
    return { status: 'True', reason: 'Migrated', message: 'the database has the schema of this version' };
  const failure = job?.status?.conditions?.find(
    (condition) => condition.type === 'Failed' && condition.status === 'True',
  );
  if (failure !== undefined)
    return {
      status: 'False',
      reason: 'Failed',
      message: `Job ${name} has failed: ${failure.message ?? failure.reason ?? 'no reason given'}; read kubectl logs job/${name}, mend the cause, and delete the Job to have it run again`,
    };
  const restarts = (job?.status?.failed ?? 0) > 0 ? ` after a failed try; read kubectl logs job/${name}` : '';
  return {
    status: 'False',
    reason: 'Migrating',
    message: `Job ${name} is migrating the database${restarts}`,
    progressing: true,
  };
}

function migrationJob(scope: Scope): Job {
  const { platform, effective } = scope;
  const { image, resources: requirements } = effective.beat;
  const template = applicationPod(
    platform,
    'migrations',
    selectorLabels(platform, 'migrations'),
    { name: 'migrate', image, command: COMMAND, env: {}, resources: requirements },
    databaseAccess(scope),
    { restartPolicy: 'OnFailure' },
    hasPooledRoute(scope) ? 'direct' : 'plain',
  );
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `${childName(platform, 'migrate')}-${shortHash(image)}` },
    // A database that is failing over fails a try or two; the kubelet's own back-off spaces them.
    spec: { backoffLimit: 20, template },
  };
}
