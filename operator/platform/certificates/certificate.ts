import { X509Certificate } from 'node:crypto';

/** What is read of a certificate. */
export interface Certificate {
  readonly pem: string;
  /** First 16 hexadecimal digits of the SHA-256 of its DER: what it is called in status, annotations and logs. */
  readonly id: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly dnsNames: readonly string[];
  readonly x509: X509Certificate;
}

const ID_LENGTH = 16;

/** Reads the first certificate of a PEM text; undefined where there is none that can be read. */
export function readCertificate(pem: string | undefined): Certificate | undefined {
  if (pem === undefined || pem === '') return undefined;
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(pem);
  } catch {
    // Somebody put something else there; whoever reads it says what to do about that.
    return undefined;
  }
  return {
    pem: x509.toString(),
    id: idOf(x509),
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    dnsNames: (x509.subjectAltName ?? '')
      .split(', ')
      .flatMap((name) => (name.startsWith('DNS:') ? name.slice('DNS:'.length) : [])),
    x509,
  };
}

export function idOf(x509: X509Certificate): string {
  return x509.fingerprint256.replaceAll(':', '').slice(0, ID_LENGTH).toLowerCase();
}

/** The certificates of a bundle, in its order; what cannot be read is left out. */
export function readBundle(bundle: string): Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((pem) => readCertificate(pem) ?? []);
}

/** Whether `issuer` has signed it. */
export function isSignedBy({ x509 }: Certificate, issuer: Certificate): boolean {
  return x509.checkIssued(issuer.x509) && x509.verify(issuer.x509.publicKey);
}
