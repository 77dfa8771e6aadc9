import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../exec.ts';
import { apiServiceAddress, hostAddress, pkiFolder } from './layout.ts';

const validDays = '3650';

/** Paths of a certificate and its key. */
export interface KeyPair {
  certificate: string;
  key: string;
}

export interface CertificateRequest {
  name: string;
  /** OpenSSL's form: `/O=group/CN=user`. */
  subject: string;
  usages: readonly ('clientAuth' | 'serverAuth')[];
  /** `DNS:name` and `IP:address`. */
  alternativeNames?: readonly string[];
}

export function pairAt(name: string): KeyPair {
  return { certificate: join(pkiFolder, `${name}.crt`), key: join(pkiFolder, `${name}.key`) };
}

/** The certificate authority of everything in the cluster, and the one of the API server's aggregation layer. */
export const clusterAuthority = 'ca';
export const aggregationAuthority = 'front-proxy-ca';
export const serviceAccountKey = join(pkiFolder, 'service-account.key');
export const serviceAccountPublicKey = join(pkiFolder, 'service-account.pub');

/** The extensions that OpenSSL is to put into a certificate. */
export function extensions({ usages, alternativeNames = [] }: CertificateRequest): string {
  const lines = [`keyUsage=critical,digitalSignature`, `extendedKeyUsage=${usages.join(',')}`];
  if (alternativeNames.length > 0) lines.push(`subjectAltName=${alternativeNames.join(',')}`);
  return `${lines.join('\n')}\n`;
}

const ellipticCurve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function createAuthority(name: string): Promise<void> {
  const { certificate, key } = pairAt(name);
  const subject = ['-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign,digitalSignature,cRLSign'];
  await run('openssl', [
    'req',
    '-x509',
    ...ellipticCurve,
    ...subject,
    '-keyout',
    key,
    '-out',
    certificate,
    '-days',
    validDays,
  ]);
}

async function issue(request: CertificateRequest, authority: string): Promise<void> {
  const { certificate, key } = pairAt(request.name);
  const signer = pairAt(authority);
  const signingRequest = join(pkiFolder, `${request.name}.csr`);
  const extensionFile = join(pkiFolder, `${request.name}.ext`);
  await writeFile(extensionFile, extensions(request));
  await run('openssl', ['req', ...ellipticCurve, '-subj', request.subject, '-keyout', key, '-out', signingRequest]);
  const signing = ['-CA', signer.certificate, '-CAkey', signer.key, '-CAcreateserial', '-extfile', extensionFile];
  await run('openssl', ['x509', '-req', '-in', signingRequest, ...signing, '-days', validDays, '-out', certificate]);
}

export const volumeProvisionerUser = 'isp-support:volume-provisioner';

/** Users of the control plane that come with a client certificate, by the name of their kubeconfig. */
export const clientUsers = {
  admin: '/O=system:masters/CN=admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  'kube-proxy': '/CN=system:kube-proxy',
  'volume-provisioner': `/CN=${volumeProvisionerUser}`,
} as const;

const apiServerNames = [
  'DNS:kubernetes',
  'DNS:kubernetes.default',
  'DNS:kubernetes.default.svc',
  'DNS:kubernetes.default.svc.cluster.local',
  'DNS:localhost',
  'IP:127.0.0.1',
  `IP:${apiServiceAddress}`,
  `IP:${hostAddress}`,
];

export function kubeletRequest(node: { name: string; address: string }): CertificateRequest {
  return {
    name: `kubelet-${node.name}`,
    subject: `/O=system:nodes/CN=system:node:${node.name}`,
    usages: ['clientAuth', 'serverAuth'],
    alternativeNames: [`DNS:${node.name}`, `IP:${node.address}`],
  };
}

/** Makes both authorities, the service account key and every certificate of the cluster. */
export async function createPki(nodes: readonly { name: string; address: string }[]): Promise<void> {
  await mkdir(pkiFolder, { recursive: true, mode: 0o700 });
  await Promise.all([
    createAuthority(clusterAuthority),
    createAuthority(aggregationAuthority),
    createServiceAccountKey(),
  ]);
  const requests: CertificateRequest[] = [
    { name: 'apiserver', subject: '/CN=kube-apiserver', usages: ['serverAuth'], alternativeNames: apiServerNames },
    {
      name: 'apiserver-kubelet-client',
      subject: '/O=system:masters/CN=apiserver-kubelet-client',
      usages: ['clientAuth'],
    },
    ...Object.entries(clientUsers).map(([name, subject]) => ({ name, subject, usages: ['clientAuth' as const] })),
    ...nodes.map(kubeletRequest),
  ];
  // One after the other for each authority: they share a file of serial numbers.
  for (const request of requests) await issue(request, clusterAuthority);
  await issue(
    { name: 'front-proxy-client', subject: '/CN=front-proxy-client', usages: ['clientAuth'] },
    aggregationAuthority,
  );
}

async function createServiceAccountKey(): Promise<void> {
  await run('openssl', [
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-out',
    serviceAccountKey,
  ]);
  await run('openssl', ['pkey', '-in', serviceAccountKey, '-pubout', '-out', serviceAccountPublicKey]);
}
