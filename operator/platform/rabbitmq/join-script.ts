import type { Listening } from './tls/names.ts';

export interface Paths {
  /** The ConfigMap. */
  readonly config: string;
  /** The Secret. */
  readonly secret: string;
  /** HOME: gone with the pod. */
  readonly home: string;
  /** The volume. */
  readonly data: string;
}

/** Paths inside the pod. */
export const paths: Paths = {
  config: '/etc/isp-rabbitmq/config',
  secret: '/etc/isp-rabbitmq/secret',
  home: '/var/lib/rabbitmq',
  data: '/var/lib/rabbitmq/mnesia',
};

/** Files of the ConfigMap. */
export const configFiles = {
  rabbitmq: 'rabbitmq.conf',
  /** In the place of the first, for pods that have a certificate: others may be started at any time, and would not find it. */
  rabbitmqBoth: 'rabbitmq-tls.conf',
  rabbitmqTls: 'rabbitmq-tls-only.conf',
  plugins: 'enabled_plugins',
  script: 'join.sh',
  /** Hosts of all nodes, one a line. */
  nodes: 'nodes',
  /** Host of the node that may found a cluster; empty once there is one. */
  founder: 'founder',
  /** Hosts of nodes that were struck off, each with when; absent where there is none. */
  left: 'left',
  /** No file for the nodes: what KEDA is to be told about TLS, which it takes from an object alone; absent without TLS. */
  kedaTls: 'keda-tls',
} as const;

/** The file that a node which listens so is configured by. */
export function configFileOf(listening: Listening): string {
  if (listening === 'tls') return configFiles.rabbitmqTls;
  return listening === 'both' ? configFiles.rabbitmqBoth : configFiles.rabbitmq;
}

/**
 * Runs before the server, as an init container, so that a node that waits is seen in the pod's status.
 *
 * A node without data joins whichever peer serves. Only the one that the operator names may found a cluster, and the operator names
 * none as soon as any volume has belonged to a member: so no replaced node, the first one neither, founds a second cluster. RabbitMQ
 * alone cannot tell a peer that is away from one that never was, and starts by itself when it has waited long enough.
 *
 * @param clientPorts a node that serves listens on at least one of them
 */
export function joinScript(
  { config, secret, home, data }: Paths,
  clientPorts: readonly number[],
  distributionPort: number,
): string {
  const serves = clientPorts.map((port) => `listens "$host" ${port}`).join(' || ');
  return `#!/usr/bin/env bash
set -eu
umask 077
config=${home}/conf.d
data="${data}/$RABBITMQ_NODENAME"
mkdir -p "$config"

rm -f "$HOME/.erlang.cookie"
cat ${secret}/erlang-cookie > "$HOME/.erlang.cookie"
chmod 0400 "$HOME/.erlang.cookie"
echo 'load_definitions = ${secret}/definitions.json' > "$config/20-definitions.conf"

# The node must be able to resolve its own name, which DNS learns late and forgets late when the address changes.
printf '{host, {%s}, ["%s"]}.\\n{lookup, [file, native]}.\\n' "\${POD_IP//./,}" "$NODE_HOST" > "$ERL_INETRC"

peers() { grep -vxF "$NODE_HOST" ${config}/${configFiles.nodes} || true; }
listens() { timeout 1 bash -c "exec 3<>/dev/tcp/$1/$2" 2> /dev/null; }
has_data() {
  [ -e "$data/schema.DAT" ] && return 0
  [ -d "$data/coordination" ] && grep -qs khepri_db "$data-feature_flags"
}
# Peers call a node that comes up by its name. Where DNS still has the address of before, or none, the call fails, and Erlang's global
# names may wait for each other for ever. So DNS has to have told the right address for as long as anybody may remember another.
await_name() {
  local right=0 tries=0
  while [ "$right" -lt 10 ] && [ "$tries" -lt 60 ]; do
    tries=$((tries + 1))
    if [ "$(getent ahosts "$NODE_HOST" | cut -d ' ' -f 1 | sort -u)" = "$POD_IP" ]; then
      right=$((right + 1))
    else
      [ "$right" -eq 0 ] || echo "$NODE_HOST does not lead to $POD_IP everywhere yet"
      right=0
    fi
    sleep 0.5
  done
}
join() {
  local number=0 host
  for host in "$NODE_HOST" "$@"; do
    number=$((number + 1))
    echo "cluster_formation.classic_config.nodes.$number = rabbit@$host"
  done > "$config/10-peers.conf"
}

# The others have struck this node off, which its own data does not know: it would start and be refused for ever. What it has is of no
# use any more. It is taken away once for each time, and never again when the node has joined anew.
discard_left() {
  local host at
  [ -e ${config}/${configFiles.left} ] || return 0
  while read -r host at; do
    [ "$host" = "$NODE_HOST" ] || continue
    [ "$(cat "${data}/discarded" 2> /dev/null)" != "$at" ] || continue
    echo "this node was taken out of the cluster at $at: discarding its data of before"
    rm -rf "$data" "$data-feature_flags" "$data-plugins-expand"
    echo "$at" > "${data}/discarded"
  done < ${config}/${configFiles.left}
}
discard_left

if has_data; then
  # Not used by a node that knows its cluster.
  join $(peers)
  await_name
  echo "the volume has data of $RABBITMQ_NODENAME: starting with it"
  exit 0
fi

said=''
while true; do
  serving=()
  for host in $(peers); do
    if ${serves}; then serving+=("$host"); fi
  done
  if [ "\${#serving[@]}" -gt 0 ]; then
    join "\${serving[@]}"
    await_name
    echo "joining \${serving[*]}"
    exit 0
  fi
  founder=$(cat ${config}/${configFiles.founder})
  if [ "$founder" = "$NODE_HOST" ]; then
    : > "$config/10-peers.conf"
    echo 'no cluster exists: founding it'
    exit 0
  fi
  # The founder is still starting. So may this node: it waits for the founder, and only for the founder, later on.
  if [ -n "$founder" ] && listens "$founder" ${distributionPort}; then
    join "$founder"
    echo "joining $founder"
    exit 0
  fi
  if [ -z "$said" ]; then
    echo 'the volume is empty: waiting for a node of the cluster to join'
    said=yes
  fi
  sleep 1
done
`;
}
