import type { Deployment, Pod } from '../../kube/resources.ts';
import { leafKeys } from '../certificates/names.ts';
import type { EffectivePooler } from '../core/effective.ts';
import { commonLabels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { containerSecurityContext, podSecurityContext, quickEviction } from '../core/pods.ts';
import { POSTGRES_PORT } from '../postgres/names.ts';
import { TLS_ANNOTATION, TLS_OFFERED } from '../postgres/tls/names.ts';
import { AUTH_FOLDER } from './config.ts';
import { type PoolerKind, poolerConfigName, poolerSelector, START_ANNOTATION, USERLIST_KEY } from './names.ts';
import { poolerTlsSecretName, TLS_FOLDER } from './tls/names.ts';

type PodTemplate = NonNullable<NonNullable<Deployment['spec']>['template']>;
type PodSpec = NonNullable<Pod['spec']>;
type Probe = NonNullable<PodSpec['containers'][number]['readinessProbe']>;

/** User and group of the image. */
const POOLER_UID = 999;
export const CONFIG_FOLDER = '/etc/pgbouncer/config';
const EVICTION_SECONDS = 30;

/**
 * A script for bash that ends well when the loop of a pooler turns: it is asked for encryption, which it answers with a letter before
 * anybody logs in. No question about Postgres: while it fails over a pooler keeps its clients waiting, which one that gets none could not.
 */
export function answersOn(port: number): string {
  return `exec 3<>/dev/tcp/127.0.0.1/${port} && printf '\\0\\0\\0\\010\\004\\322\\026\\057' >&3 && read -r -t 2 -n 1 -u 3 answer && [[ $answer == [NS] ]]`;
}

/**
 * The same for one with TLS, which would write a warning for each one that asks for encryption and leaves: it is asked to cancel what nobody has begun, and closes the connection, even
 * if it takes nobody without TLS. `read` ends with 1 then, and with more than 128 when its time is over.
 */
export function closesOn(port: number): string {
  return `exec 3<>/dev/tcp/127.0.0.1/${port} && printf '\\0\\0\\0\\020\\004\\322\\026\\056isp-ping' >&3 && { read -r -t 2 -n 1 -u 3; [[ $? == 1 ]]; }`;
}

/** Runtimes start containers with room for 1,024 files, more only for who asks; PgBouncer does not, and has one for each connection. */
export const START = 'ulimit -n "$(ulimit -Hn)" && exec pgbouncer "$1"';

/** Time for the Services to forget the pod; then no new transaction is begun, and it ends when the last one has. */
const DRAIN = 'sleep 3; kill -INT 1; sleep 20';
const GRACE_SECONDS = 30;

export function poolerConfigKey(kind: PoolerKind, tls: boolean): string {
  return tls ? `${kind}-tls.ini` : `${kind}.ini`;
}

/**
 * @param hash of what a pod reads once, at its start
 * @param tls whether it has a certificate
 */
export function poolerPod(
  platform: Platform,
  pooler: EffectivePooler,
  kind: PoolerKind,
  hash: string,
  tls: boolean,
): PodTemplate {
  const { requests = {}, limits = {} } = pooler.resources;
  return {
    metadata: {
      labels: { ...commonLabels(platform, 'pooler'), ...poolerSelector(platform, kind) },
      annotations: { [START_ANNOTATION]: hash, ...(tls ? { [TLS_ANNOTATION]: TLS_OFFERED } : {}) },
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      // glibc reads the first two; PgBouncer's own resolver knows them by the others' names, in milliseconds.
      dnsConfig: { options: ['timeout:1', 'attempts:3', 'retrans:1000', 'retry:3'].map(option) },
      securityContext: podSecurityContext(POOLER_UID),
      topologySpreadConstraints: spread(platform, kind),
      tolerations: quickEviction(EVICTION_SECONDS),
      containers: [
        {
          name: 'pgbouncer',
          image: pooler.image,
          command: ['sh', '-c', START, 'sh', `${CONFIG_FOLDER}/${poolerConfigKey(kind, tls)}`],
          ports: [{ name: 'postgres', containerPort: POSTGRES_PORT, protocol: 'TCP' }],
          resources: { requests: { ...requests }, limits: { ...limits } },
          securityContext: containerSecurityContext,
          startupProbe: answers(tls, { periodSeconds: 1, failureThreshold: 60 }),
          readinessProbe: answers(tls, { periodSeconds: 2, failureThreshold: 2 }),
          // Its one loop has not turned for half a minute, so it is stuck; a restart cuts off all its clients.
          livenessProbe: answers(tls, { periodSeconds: 10, failureThreshold: 3 }),
          lifecycle: { preStop: { exec: { command: ['sh', '-c', DRAIN] } } },
          volumeMounts: [
            { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
            { name: 'auth', mountPath: AUTH_FOLDER, readOnly: true },
            ...(tls ? [{ name: 'tls', mountPath: TLS_FOLDER, readOnly: true }] : []),
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: poolerConfigName(platform), defaultMode: 0o444 } },
        {
          name: 'auth',
          secret: {
            secretName: poolerConfigName(platform),
            defaultMode: 0o440,
            items: [{ key: USERLIST_KEY, path: USERLIST_KEY }],
          },
        },
        ...(tls ? [tlsVolume(platform)] : []),
      ],
    },
  };
}

function tlsVolume(platform: Platform): NonNullable<PodSpec['volumes']>[number] {
  const items = [leafKeys.certificate, leafKeys.key].map((key) => ({ key, path: key }));
  return { name: 'tls', secret: { secretName: poolerTlsSecretName(platform), defaultMode: 0o440, items } };
}

function answers(tls: boolean, timing: Probe): Probe {
  const script = tls ? closesOn(POSTGRES_PORT) : answersOn(POSTGRES_PORT);
  return { exec: { command: ['bash', '-c', script] }, timeoutSeconds: 3, ...timing };
}

/** One a node as long as there are nodes for it; pods of an earlier template are on their way out and do not count. */
function spread(platform: Platform, kind: PoolerKind): NonNullable<PodSpec['topologySpreadConstraints']> {
  const common = {
    maxSkew: 1,
    labelSelector: { matchLabels: poolerSelector(platform, kind) },
    matchLabelKeys: ['pod-template-hash'],
  };
  return [
    { ...common, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', nodeTaintsPolicy: 'Honor' },
    { ...common, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
  ];
}

function option(text: string): { name: string; value: string } {
  const [name = '', value = ''] = text.split(':');
  return { name, value };
}
