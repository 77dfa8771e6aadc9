import type { Pod } from '../../kube/resources.ts';
import type { EffectiveRedis } from '../core/effective.ts';
import type { Platform } from '../core/platform.ts';
import { containerSecurityContext, podSecurityContext, quickEviction } from '../core/pods.ts';
import { AUTH_DIRECTORY, CONFIG_DIRECTORY, DATA_DIRECTORY } from './config.ts';
import { AUTH_KEY, nodesServiceHost, PASSWORD_KEY, REDIS_PORT, REDIS_UID, redisName } from './names.ts';
import { cliOptions, tlsMount, tlsVolume } from './tls/pod.ts';

export type PodSpec = NonNullable<Pod['spec']>;
export type Container = PodSpec['containers'][number];

/** Long enough for a shutdown that waits for its replicas (10 s) and writes out its file. */
const GRACE_SECONDS = 30;
/** Reading a large append-only file takes minutes; until it has been read, nothing else is asked of the server. */
const START_SECONDS = 600;

/** What the containers of Redis servers have in common, Sentinels included. `name` is the port's name too. */
export function serverContainer(
  platform: Platform,
  { image, tls }: Pick<EffectiveRedis, 'image' | 'tls'>,
  name: string,
  port: number,
): Container {
  const onPort = port === REDIS_PORT ? [] : ['-p', String(port)];
  return {
    name,
    image,
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'REDISCLI_AUTH', valueFrom: { secretKeyRef: { name: redisName(platform), key: PASSWORD_KEY } } },
    ],
    ports: [{ name, containerPort: port, protocol: 'TCP' }],
    // A server that still reads its file accepts connections and answers LOADING, which only a command can tell. That happens at the
    // start alone, so the costly probe (a process in the container) ends with it.
    startupProbe: {
      exec: { command: ['redis-cli', '-e', ...(tls.enabled ? cliOptions : []), ...onPort, 'ping'] },
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: START_SECONDS / 2,
    },
    readinessProbe: { tcpSocket: { port: name }, periodSeconds: 5, timeoutSeconds: 2 },
    livenessProbe: { tcpSocket: { port: name }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    securityContext: containerSecurityContext,
    volumeMounts: [
      { name: 'data', mountPath: DATA_DIRECTORY },
      { name: 'config', mountPath: CONFIG_DIRECTORY, readOnly: true },
      { name: 'auth', mountPath: AUTH_DIRECTORY, readOnly: true },
      ...(tls.enabled ? [tlsMount] : []),
    ],
  };
}

/** A pod with one such container, apart from the others of its selector, with the named files of the configuration. */
export function serverPodSpec(
  platform: Platform,
  { tls }: Pick<EffectiveRedis, 'tls'>,
  container: Container,
  selector: Record<string, string>,
  configFiles: readonly string[],
): PodSpec {
  const items = configFiles.map((file) => ({ key: file, path: file }));
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurityContext(REDIS_UID),
    terminationGracePeriodSeconds: GRACE_SECONDS,
    tolerations: quickEviction(30),
    topologySpreadConstraints: [
      {
        // Strict, yet satisfied by a cluster of one node, which a required anti-affinity would not be.
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        nodeTaintsPolicy: 'Honor',
        labelSelector: { matchLabels: selector },
      },
    ],
    containers: [container],
    volumes: [
      { name: 'config', configMap: { name: redisName(platform), items } },
      { name: 'auth', secret: { secretName: redisName(platform), items: [{ key: AUTH_KEY, path: AUTH_KEY }] } },
      ...(tls.enabled ? [tlsVolume(platform)] : []),
    ],
  };
}

/** The name that a server tells the others: it stays when the address changes. */
export function announcedHost(platform: Platform): string {
  return `$(POD_NAME).${nodesServiceHost(platform)}`;
}
