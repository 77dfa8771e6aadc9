import { join } from 'node:path';

/** Everything that the local cluster keeps is under this folder. */
export const stateFolder = '/var/lib/isp-support-cluster';

/** Changes when a running cluster made by older code must be replaced. */
export const layoutVersion = 1;

export const kubeconfigPath = join(stateFolder, 'admin.conf');
export const pkiFolder = join(stateFolder, 'pki');

/** The bridge that joins the nodes; the host has the first address on it and runs the control plane there. */
export const bridge = 'isp-support';
export const hostAddress = '10.99.0.1';
export const nodePrefixLength = 24;
export const podCidr = '10.88.0.0/16';
export const serviceCidr = '10.96.0.0/16';
export const apiServiceAddress = '10.96.0.1';
export const dnsAddress = '10.96.0.10';
export const apiServerUrl = `https://${hostAddress}:6443`;
/** Not etcd's usual ports, so that another etcd on the machine is left alone. */
export const etcdUrl = 'http://127.0.0.1:12379';
export const etcdPeerUrl = 'http://127.0.0.1:12380';

/** The cgroup, in every hierarchy, that all processes of the cluster live under. */
export const cgroupRoot = '/isp-support';
/** Where the daemons themselves live; pods are under one cgroup for each node beside it. */
export const daemonCgroup = `${cgroupRoot}/daemons`;

/** What the default StorageClass calls its provisioner. */
export const volumeProvisioner = 'isp.support/folder';

export const maxNodes = 9;

/** What one node is called and where its things are. */
export interface NodeLayout {
  index: number;
  name: string;
  folder: string;
  /** Name of its network namespace and of the host's end of its link. */
  network: string;
  address: string;
  podCidr: string;
  cgroup: string;
  containerdSocket: string;
  volumesFolder: string;
}

export function nodeLayout(index: number): NodeLayout {
  const name = `node${index}`;
  const folder = join(stateFolder, name);
  return {
    index,
    name,
    folder,
    network: `isp-${name}`,
    address: `10.99.0.${10 + index}`,
    podCidr: `10.88.${index}.0/24`,
    cgroup: `${cgroupRoot}/${name}`,
    containerdSocket: join(folder, 'containerd.sock'),
    volumesFolder: join(folder, 'volumes'),
  };
}

export function nodeLayouts(count: number): NodeLayout[] {
  return Array.from({ length: count }, (_, position) => nodeLayout(position + 1));
}
