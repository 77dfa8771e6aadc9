/** What iptables is to be told in a pod's network, so that what the pod sends to a port is dropped; with `--delete`, no more. */
export function blockRule(action: '--insert' | '--delete', port: number): string[] {
  return [action, 'OUTPUT', '--protocol', 'tcp', '--dport', String(port), '--jump', 'DROP'];
}
