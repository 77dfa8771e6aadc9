import { expect } from 'chai';
import type { ConfigMap, Deployment, Secret, Service } from '../../kube/resources.ts';
import { scopeOf } from '../core/testing/scope.ts';
import type { PlatformSpec } from '../schema/spec.ts';
import { decide } from './decide.ts';
import {
  appPassword,
  blindReading,
  ENABLED,
  healthyReading,
  LED_BY_0,
  type PoolerScope,
  poolerDeployment,
  poolerPod,
  poolerScope,
  poolerSecrets,
  secretOf,
  silentReading,
} from './fixtures.ts';
import { RENEWED_ANNOTATION, ROUTE_ANNOTATION } from './names.ts';

const random = (length: number) => 'x'.repeat(length);
const plan = (input: PoolerScope) => decide(poolerScope(input), [], random);
const objectsOf = (spec: PlatformSpec) => plan({ spec, primary: 0 }).objects;
const fileOf = (spec: PlatformSpec, key = 'writes.ini') =>
  (objectsOf(spec).find(({ kind }) => kind === 'ConfigMap') as ConfigMap | undefined)?.data?.[key] ?? '';
const templatesOf = (spec: PlatformSpec) =>
  objectsOf(spec).flatMap((object) => (object.kind === 'Deployment' ? [(object as Deployment).spec?.template] : []));

const deployments = [poolerDeployment('acme-postgres-pooler'), poolerDeployment('acme-postgres-pooler-ro')];
const served: PoolerScope['pods'] = (['writes', 'reads'] as const).flatMap((kind) =>
  ['a', 'b'].map((name) => [kind, poolerPod(kind, `${kind}-${name}`)] as const),
);

const routed = secretOf(
  'acme-app',
  { DATABASE_URL: 'postgresql://u:p@acme-postgres-pooler.support.svc:5432/d' },
  'api',
);

describe('a platform without a pooler', () => {
  it('gets nothing of it', () => {
    expect(decide(scopeOf(), [], random)).to.deep.equal({
      objects: [],
      condition: { status: 'True', reason: 'Disabled', message: 'switched off by spec.postgres.pooler.enabled' },
    });
  });

  it('keeps the one that it had until no pod of the application goes through it', () => {
    const api = poolerPod('writes', 'acme-api-x', { [ROUTE_ANNOTATION]: 'pooler' });
    const pod = { ...api, metadata: { ...api.metadata, labels: { 'isp.support/component': 'api' } } };
    const used = plan({ spec: {}, objects: [...deployments, pod] });
    expect(used.remove).to.equal(undefined);
    expect(used.condition).to.include({ status: 'True', reason: 'Retiring', progressing: true });
    expect(plan({ spec: {}, objects: [...deployments, routed] }).remove).to.equal(undefined);
    expect(
      plan({ spec: {}, objects: deployments }).remove?.map(({ ref }) => `${ref.resource.kind} ${ref.name}`),
    ).to.deep.equal([
      'Deployment acme-postgres-pooler',
      'Deployment acme-postgres-pooler-ro',
      'Secret acme-postgres-pooler',
    ]);
  });
});

describe('the objects of the poolers', () => {
  it('are a Deployment, a Service and a budget each, one file and one list of users', () => {
    expect(objectsOf(ENABLED).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([
      'Secret acme-postgres-pooler',
      'ConfigMap acme-postgres-pooler',
      'Service acme-postgres-pooler',
      'PodDisruptionBudget acme-postgres-pooler',
      'Deployment acme-postgres-pooler',
      'Service acme-postgres-pooler-ro',
      'PodDisruptionBudget acme-postgres-pooler-ro',
      'Deployment acme-postgres-pooler-ro',
    ]);
  });

  it('choose their own pods alone', () => {
    const services = objectsOf(ENABLED).filter(({ kind }) => kind === 'Service') as Service[];
    const selector = { 'isp.support/platform': 'acme', 'isp.support/component': 'pooler' };
    expect(services.map(({ spec }) => spec?.selector)).to.deep.equal([
      { ...selector, 'isp.support/pooler': 'writes' },
      { ...selector, 'isp.support/pooler': 'reads' },
    ]);
  });

  it('lead writes to the primary and reads to the standbys', () => {
    expect(fileOf(ENABLED)).to.contain(
      'isp_support = host=acme-postgres-primary.support.svc port=5432 dbname=isp_support',
    );
    expect(fileOf(ENABLED, 'reads.ini')).to.contain('host=acme-postgres-replicas.support.svc');
  });

  it('share 100 server connections for 10,000 customers among their pods', () => {
    const spec = { ...ENABLED, customers: 10_000 };
    expect(fileOf(spec)).to.contain('max_db_connections = 50\n').and.to.contain('default_pool_size = 50\n');
    const one = { customers: 10_000, postgres: { pooler: { enabled: true, instances: 1 } } };
    expect(fileOf(one)).to.contain('max_db_connections = 100\n');
  });

  it('have no password anywhere but in the Secret', () => {
    const [secret, ...others] = objectsOf(ENABLED);
    const users = Buffer.from((secret as Secret).data?.['userlist.txt'] ?? '', 'base64').toString();
    expect(users).to.equal('"isp_support" "correct-horse"\n"pooler_console" "battery-staple"\n');
    for (const password of ['correct-horse', 'battery-staple']) {
      expect(JSON.stringify(others)).to.not.contain(password);
      expect(JSON.stringify(others)).to.not.contain(Buffer.from(password).toString('base64').replace(/=+$/, ''));
    }
  });

  it('replace the pods when what these read at their start has changed, and for nothing else', () => {
    const hashes = (spec: PlatformSpec) => templatesOf(spec).map((template) => template?.metadata?.annotations);
    const sizes = { resources: { limits: { memory: '1Gi' } } };
    expect(hashes({ postgres: { pooler: { enabled: true, ...sizes } } })).to.deep.equal(hashes(ENABLED));
    expect(hashes({ postgres: { pooler: { enabled: true, poolMode: 'session' } } })).to.not.deep.equal(hashes(ENABLED));
  });

  it('run under the restricted Pod Security Standard with nothing to write', () => {
    for (const template of templatesOf(ENABLED)) {
      expect(template?.spec?.securityContext).to.deep.include({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(template?.spec?.automountServiceAccountToken).to.equal(false);
      const [container] = template?.spec?.containers ?? [];
      expect(container?.securityContext).to.deep.include({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(container?.volumeMounts?.every(({ readOnly }) => readOnly === true)).to.equal(true);
    }
  });

  it('start no pod before the list of users is there, and make it once', () => {
    const { creates, objects } = decide(scopeOf({ spec: ENABLED, objects: [appPassword] }), [], random);
    expect(creates?.map(({ kind }) => kind)).to.deep.equal(['Secret']);
    expect(objects.some(({ kind }) => kind === 'Deployment')).to.equal(false);
    expect(plan({ primary: 0, objects: [poolerSecrets] }).creates).to.deep.equal([]);
  });
});

describe('the condition of the poolers', () => {
  const conditionOf = (pods: PoolerScope['pods'], primary: number | undefined = 0, all = deployments) =>
    plan({ primary, ...(pods === undefined ? {} : { pods }), objects: [...all, routed] }).condition;
  const withReading = (kind: 'writes' | 'reads', count: number, reading: typeof silentReading): PoolerScope['pods'] =>
    (served ?? []).map(([of, pod], index) =>
      of === kind && (kind === 'writes' ? index : index - 2) < count
        ? ([of, pod, reading] as const)
        : ([of, pod] as const),
    );

  it('is True while every pod answers and leads somewhere', () => {
    expect(conditionOf(served)).to.include({ status: 'True', reason: 'Healthy' }).and.to.not.have.property('degraded');
  });

  it('is degraded with a pod missing, in either', () => {
    for (const name of ['acme-postgres-pooler', 'acme-postgres-pooler-ro']) {
      const all = deployments.map((one) => (one.metadata.name === name ? poolerDeployment(name, 1) : one));
      const condition = conditionOf(served, 0, all);
      expect(condition).to.include({ status: 'True', reason: 'WaitingForPods', degraded: true });
      expect(condition.message).to.contain(`1 of 2 pods of Deployment ${name} are ready`);
    }
  });

  it('is degraded with a pod that the kubelet calls ready and that does not answer', () => {
    const condition = conditionOf(withReading('writes', 1, silentReading));
    expect(condition).to.include({ status: 'True', reason: 'PodsNotAnswering', degraded: true });
    expect(condition.message).to.contain('1 of 2').and.to.contain('no answer in time');
  });

  it('is False when the primary serves and no pod for writes reaches it', () => {
    expect(conditionOf(withReading('writes', 1, blindReading))).to.include({
      status: 'True',
      reason: 'ServerNotReached',
    });
    expect(conditionOf(withReading('writes', 2, blindReading))).to.include({
      status: 'False',
      reason: 'ServerNotReached',
    });
  });

  it('is told when writes lead to a standby', () => {
    const standby = { ...healthyReading, server: { ok: true as const, value: { inRecovery: true } } };
    expect(conditionOf(withReading('writes', 1, standby))).to.include({ reason: 'LeadsToStandby', degraded: true });
    expect(conditionOf(withReading('reads', 2, standby))).to.include({ reason: 'Healthy' });
  });

  it('says nothing of what is Postgres’ own trouble', () => {
    expect(plan({ pods: withReading('writes', 2, blindReading) ?? [], objects: deployments }).condition).to.include({
      status: 'True',
      reason: 'Healthy',
    });
  });

  it('takes nothing down when reads alone have no pod', () => {
    const all = [deployments[0], poolerDeployment('acme-postgres-pooler-ro', 0)] as typeof deployments;
    expect(conditionOf(served, 0, all)).to.include({ status: 'True', degraded: true });
  });

  it('keeps no platform from being ready whose application does not go through it yet', () => {
    const none = deployments.map(({ metadata }) => poolerDeployment(metadata.name, 0));
    expect(conditionOf([], 0, none)).to.include({ status: 'False', reason: 'WaitingForPods' });
    const { condition } = plan({ primary: 0, objects: none });
    expect(condition).to.include({ status: 'True', reason: 'WaitingForPods', progressing: true });
    expect(condition).to.not.have.property('degraded');
  });

  it('is in the status with the pods of each', () => {
    const { status } = plan({ primary: 0, pods: served ?? [], objects: deployments });
    const two = { replicas: 2, readyReplicas: 2 };
    expect(status).to.deep.equal({ pooler: { writes: two, reads: two } });
  });

  it('plans nothing when nothing has changed', () => {
    const pods = [['writes', poolerPod('writes', 'w', { [RENEWED_ANNOTATION]: LED_BY_0 })] as const];
    expect(plan({ primary: 0, pods, objects: deployments }).actions).to.deep.equal([]);
  });
});
