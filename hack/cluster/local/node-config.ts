import { join } from 'node:path';
import { stringify } from 'yaml';
import { dnsAddress, type NodeLayout, podCidr, stateFolder } from './layout.ts';
import { clusterAuthority, pairAt } from './pki.ts';

/** Name of the pods' network in the CNI plugins' own files. */
export const podNetworkName = 'isp-support-pods';

/** containerd's configuration: all of its state under the node's own folder, and no image ever pulled. */
export function renderContainerdConfig(node: NodeLayout, pauseImage: string): string {
  const { folder } = node;
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = "${node.containerdSocket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/containerd/opt"

[${cri}]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE, as in many virtual machines, runc may not lower a process's oom_score_adj.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  # As newer releases have it by default: a container that is not root may listen on port 80.
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  Root = "${folder}/runc"
  SystemdCgroup = false

[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${folder}/cni"
`;
}

/** The pods of a node are on a bridge in its network; other nodes' pods are reached by routes, so nothing is masqueraded. */
export function renderCniConfig(node: NodeLayout): string {
  const ranges = [[{ subnet: node.podCidr }]];
  const ipam = { type: 'host-local', dataDir: join(node.folder, 'ipam'), ranges, routes: [{ dst: '0.0.0.0/0' }] };
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: podNetworkName,
    plugins: [
      { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: false, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

/** The kubelet's configuration; what is not said here is Kubernetes' default, node heartbeats above all. */
export function renderKubeletConfig(node: NodeLayout): string {
  const serving = pairAt(`kubelet-${node.name}`);
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pairAt(clusterAuthority).certificate },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: serving.certificate,
    tlsPrivateKeyFile: serving.key,
    address: node.address,
    healthzBindAddress: '127.0.0.1',
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: `unix://${node.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    // Each kubelet would take the pods of the others for orphans if they shared one root.
    cgroupRoot: node.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    maxPods: 110,
    serializeImagePulls: false,
    // Images must stay, since none can be pulled again; and all nodes share one disk.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    podLogsDir: join(node.folder, 'pod-logs'),
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 2,
  });
}

export function renderProxyConfig(node: NodeLayout): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clusterCIDR: podCidr,
    hostnameOverride: node.name,
    clientConnection: { kubeconfig: join(stateFolder, 'kube-proxy.conf') },
    // The size of the connection table is the whole machine's, not a node's to set.
    conntrack: { maxPerCore: 0 },
  });
}
