/** What OpenSSL and Node say of a certificate that is not believed, as the errors' codes. */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate for other names',
  CERT_SIGNATURE_FAILURE: 'shows a certificate that no trusted authority has signed',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'shows a certificate that no trusted authority has signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'shows a certificate that no trusted authority has signed',
  UNABLE_TO_GET_ISSUER_CERT: 'shows a certificate that no trusted authority has signed',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'shows a certificate that no trusted authority has signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'shows a certificate that no trusted authority has signed',
};

/** Why a server's certificate is not believed, to follow its name; undefined where the connection failed for another reason. */
export function whyDistrusted(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? REASONS[String(error.code)] : undefined;
}
