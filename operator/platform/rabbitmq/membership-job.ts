import type { Job } from '../../kube/resources.ts';
import type { EffectiveRabbitmq } from '../core/effective.ts';
import { commonLabels, labels } from '../core/names.ts';
import type { Platform } from '../core/platform.ts';
import { containerSecurityContext, podSecurityContext, quickEviction } from '../core/pods.ts';
import { type Paths, paths } from './join-script.ts';
import { nodeName, RABBITMQ_UID, rabbitmqName, secretKeys } from './names.ts';

/** What only RabbitMQ's own commands can do in every version: the management API has nothing for the last one, and in 3.10 for none. */
export type MembershipVerb =
  /** Gives every quorum queue a replica on a node. */
  | 'grow'
  /** Takes those on a node away. */
  | 'shrink'
  /** Strikes a node that is stopped off the list of the cluster. */
  | 'forget';

export interface MembershipWork {
  readonly verb: MembershipVerb;
  /** Whose replicas or membership. */
  readonly pod: string;
  /** Pod of the node that is asked to do it. */
  readonly through: string;
}

/** A Job of ours as the cache has it. */
export interface MembershipJob {
  readonly name: string;
  readonly uid: string;
  readonly state: 'running' | 'succeeded' | 'failed';
  /** Absent while it runs. */
  readonly finishedAt?: Date;
}

/** Its pods are no nodes, and must not be taken for any by a Service or by the disruption budget. */
const POD_COMPONENT = 'rabbitmq-membership';
const DEADLINE_SECONDS = 300;
const EVICTION_SECONDS = 30;

export function membershipJobName(platform: Platform, { verb, pod }: Pick<MembershipWork, 'verb' | 'pod'>): string {
  return `${rabbitmqName(platform)}-${verb}-${pod.slice(rabbitmqName(platform).length + 1)}`;
}

/** Runs one command over Erlang's own protocol, with the cookie that the nodes share, and ends. */
export function membershipJob(platform: Platform, rabbitmq: EffectiveRabbitmq, work: MembershipWork): Job {
  const { verb, pod, through } = work;
  const podLabels = { ...commonLabels(platform, 'rabbitmq'), [labels.component]: POD_COMPONENT };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: membershipJobName(platform, work) },
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      template: {
        metadata: { labels: podLabels },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurityContext(RABBITMQ_UID),
          tolerations: quickEviction(EVICTION_SECONDS),
          containers: [
            {
              name: verb,
              image: rabbitmq.image,
              command: [
                'bash',
                '-c',
                membershipScript(paths),
                verb,
                nodeName(platform, through),
                nodeName(platform, pod),
              ],
              env: [
                { name: 'HOME', value: paths.home },
                { name: 'LANG', value: 'C.UTF-8' },
                { name: 'RABBITMQ_USE_LONGNAME', value: 'true' },
              ],
              resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
              securityContext: containerSecurityContext,
              volumeMounts: [
                { name: 'home', mountPath: paths.home },
                { name: 'secret', mountPath: paths.secret, readOnly: true },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [
            {
              name: 'secret',
              secret: {
                secretName: rabbitmqName(platform),
                items: [{ key: secretKeys.cookie, path: secretKeys.cookie }],
              },
            },
            // It gets the cookie, which is not to reach a disk.
            { name: 'home', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  };
}

/** Takes the verb, the node that is asked and the node that it is about. */
export function membershipScript({ home, secret }: Pick<Paths, 'home' | 'secret'>): string {
  return `set -eu
umask 077
rm -f ${home}/.erlang.cookie
cat ${secret}/${secretKeys.cookie} > ${home}/.erlang.cookie
chmod 0400 ${home}/.erlang.cookie
case "$0" in
  grow) rabbitmq-queues --longnames --node "$1" grow "$2" all ;;
  shrink) rabbitmq-queues --longnames --node "$1" shrink "$2" ;;
  forget) rabbitmqctl --longnames --node "$1" forget_cluster_node "$2" ;;
esac
`;
}

/** Reads a Job of the cache. */
export function readMembershipJob({ metadata, status }: Job): MembershipJob[] {
  const { name, uid } = metadata;
  if (uid === undefined || metadata.deletionTimestamp !== undefined) return [];
  const end = status?.conditions?.find(
    ({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True',
  );
  if (end === undefined) return [{ name, uid, state: 'running' }];
  const finishedAt = new Date(end.lastTransitionTime ?? 0);
  return [{ name, uid, state: end.type === 'Complete' ? 'succeeded' : 'failed', finishedAt }];
}
