import { randomBytes, webcrypto } from 'node:crypto';
import type { KeyPair } from './authority.ts';
import { readCertificate } from './certificate.ts';
import { AUTHORITY_LIFETIME_MS, BACKDATED_MS, LEAF_LIFETIME_MS } from './lifetimes.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const SERIAL_BYTES = 16;

/** Makes an authority with a name of its own, valid from an hour before `now`. */
export async function issueAuthority(commonName: string, now: Date): Promise<KeyPair> {
  const { x509 } = await import('./x509.ts');
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf(`${commonName} ${randomBytes(4).toString('hex')}`),
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(now.getTime() + AUTHORITY_LIFETIME_MS),
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await pairOf(certificate.toString('pem'), keys.privateKey);
}

/** Makes a server's certificate for these names; it does not outlive its authority. */
export async function issueLeaf(authority: KeyPair, dnsNames: readonly string[], now: Date): Promise<KeyPair> {
  const { x509 } = await import('./x509.ts');
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', derOf(authority.key), CURVE, false, ['sign']);
  const issuer = new x509.X509Certificate(authority.certificate.pem);
  const end = Math.min(now.getTime() + LEAF_LIFETIME_MS, authority.certificate.notAfter.getTime());
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: nameOf(dnsNames[0] ?? ''),
    issuer: issuer.subject,
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(end),
    signingAlgorithm: SIGNATURE,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await pairOf(certificate.toString('pem'), keys.privateKey);
}

async function pairOf(pem: string, privateKey: webcrypto.CryptoKey): Promise<KeyPair> {
  const certificate = readCertificate(pem);
  if (certificate === undefined) throw new Error('a certificate was made that cannot be read');
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return { certificate, key: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n` };
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}

/** Positive, as RFC 5280 demands, and 127 bits of it random. */
function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** A common name has at most 64 characters; what names a server is its alternative names. */
function nameOf(text: string): string {
  return `CN=${text.slice(0, 64)}`;
}
