const untrusted =
  "shows a certificate that nobody who is trusted has signed: give its authority's certificate with --tls-ca";

/** What is wrong with the certificate of a broker, by the codes of node:tls, and what to do. */
const distrusts: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: 'shows a certificate that has expired: renew it there',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet: check the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'shows a certificate for another host: give --brokers a name that is in it, or have one made for this name',
};

/**
 * Alerts of TLS by which a server refuses the certificate of a client, or that it has none: handshake_failure,
 * bad_certificate to certificate_unknown, unknown_ca, access_denied, certificate_required (RFC 8446, section 6).
 */
const clientCertificateAlerts = new Set([40, 42, 43, 44, 45, 46, 48, 49, 116]);

/**
 * What went wrong with the TLS of a connection, behind the words "The broker at ADDRESS"; undefined when it was
 * something else.
 */
export function tlsTrouble(error: Error): string | undefined {
  const distrust = distrusts[(error as { code?: string }).code ?? ''];
  if (distrust !== undefined) return distrust;
  const alert = Number(/SSL alert number (\d+)/.exec(error.message)?.[1]);
  if (clientCertificateAlerts.has(alert)) {
    return 'does not accept the certificate of this client, or asks for one: give --tls-cert and --tls-key, signed by an authority that it trusts';
  }
  return undefined;
}
