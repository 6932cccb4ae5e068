/** What Node tells of a failed handshake, as far as we read it. */
interface TlsFailure {
  readonly code?: unknown
  readonly message?: unknown
  /** Of ERR_TLS_CERT_ALTNAME_INVALID: the name that was expected, and the certificate that came. */
  readonly host?: unknown
  readonly cert?: { readonly subjectaltname?: unknown; readonly subject?: { readonly CN?: unknown } }
}

/** Why TLS failed, in plain words with what to do; undefined if it was not about TLS. */
export function tlsTrouble(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  const failure = thrown as TlsFailure
  const code = typeof failure.code === 'string' ? failure.code : ''
  const named = plain(code, failure)
  if (named !== undefined) return `${named} (${code})`
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO'
    ? `TLS failed: ${String(failure.message)} (${code})`
    : undefined
}

function plain(code: string, failure: TlsFailure): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired; it needs a new one'
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet; is the clock of this machine right?'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for ${namesOf(failure)}, not for ${String(failure.host)}`
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'its certificate is not signed by anyone who is trusted here; give the signer as ca'
    case 'CERT_REVOKED':
      return 'its certificate was revoked'
    case 'INVALID_PURPOSE':
      return 'its certificate is not meant for this side of a connection'
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return 'it showed no client certificate, and one is required'
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
      return 'it requires a client certificate; give cert and key'
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
      return 'it does not trust the signer of our certificate'
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED':
      return 'it says that our certificate has expired'
    case 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN':
      return 'it does not accept our certificate'
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL':
    case 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL':
    case 'ERR_SSL_TLS_ALERT_NO_APPLICATION_PROTOCOL':
      return 'the two sides have no protocol in common (ALPN)'
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
    case 'ERR_SSL_TLS_ALERT_PROTOCOL_VERSION':
      return 'the two sides have no version of TLS in common; 1.2 is the lowest here'
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_HTTP_REQUEST':
      return 'it does not speak TLS there'
    default:
      return undefined
  }
}

function namesOf({ cert }: TlsFailure): string {
  if (typeof cert?.subjectaltname === 'string') {
    return cert.subjectaltname.replaceAll(/(?:DNS|IP Address):/g, '')
  }
  const name = cert?.subject?.CN
  return typeof name === 'string' ? name : 'nobody'
}
