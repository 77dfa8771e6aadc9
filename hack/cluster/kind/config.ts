import { stringify } from 'yaml';
import { blockRule } from '../block.ts';

/** kind's configuration: a control plane, which takes no pods of ours, and as many workers as asked for. */
export function renderKindConfig(workers: number): string {
  return stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: [{ role: 'control-plane' }, ...Array.from({ length: workers }, () => ({ role: 'worker' }))],
  });
}

const dropRules = ['raw PREROUTING -i eth0', 'mangle POSTROUTING -o eth0'].map((rule) => {
  const [table = '', chain = '', ...match] = rule.split(' ');
  return { table, chain, match: `${match.join(' ')} -m comment --comment isp-support-partition -j DROP` };
});

/** Drops all that enters or leaves a node. Disconnecting it from Docker's network would change its address. */
export const cutOff = dropRules
  .map(
    ({ table, chain, match }) =>
      `iptables -t ${table} -C ${chain} ${match} 2>/dev/null || iptables -t ${table} -I ${chain} ${match}`,
  )
  .join('\n');

/** Takes those rules away; does nothing where there are none. */
export const reconnect = dropRules
  .map(({ table, chain, match }) => `while iptables -t ${table} -D ${chain} ${match} 2>/dev/null; do :; done`)
  .join('\n');

/** A script that freezes or thaws the container whose first process is $1, in either version of cgroups. */
export function setFrozenScript(frozen: boolean): string {
  return `
unified=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
if [ -e "/sys/fs/cgroup$unified/cgroup.freeze" ]; then
  echo ${frozen ? 1 : 0} >"/sys/fs/cgroup$unified/cgroup.freeze"
else
  freezer=$(sed -n 's/^[0-9]*:freezer://p' "/proc/$1/cgroup")
  echo ${frozen ? 'FROZEN' : 'THAWED'} >"/sys/fs/cgroup/freezer$freezer/freezer.state"
fi`;
}

/** A script that cuts the pod of the container whose first process is $1 off from a port, or joins it again. */
export function setBlockedScript(blocked: boolean, port: number): string {
  return `nsenter --net="/proc/$1/ns/net" iptables --wait ${blockRule(blocked ? '--insert' : '--delete', port).join(' ')}`;
}

/** Reads the ids and names that `crictl ps --output json` prints. */
export function parseContainers(json: string): { id: string; name: string }[] {
  const { containers = [] } = JSON.parse(json) as { containers?: { id: string; metadata: { name: string } }[] };
  return containers.map(({ id, metadata }) => ({ id, name: metadata.name }));
}
