/** Why a connection failed, by the code of the error. */
interface ConnectionFailure {
  readonly codes: readonly string[];
  readonly reason: string;
  readonly remedy: string;
  /** The key of a downstream to look at, where it is not its address. */
  readonly key?: string;
}

const TROUBLES: readonly ConnectionFailure[] = [
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME'],
    reason: 'the host name cannot be resolved',
    remedy: 'check the spelling of the host name and the DNS servers of this machine',
  },
  {
    codes: ['ECONNREFUSED'],
    reason: 'nothing listens at this address and port',
    remedy: 'check the port, and that the service runs',
  },
  {
    codes: ['EHOSTUNREACH', 'ENETUNREACH', 'EACCES', 'EPERM'],
    reason: 'there is no way to this address from here',
    remedy: 'check routes, firewalls and network policies of this machine',
  },
  {
    codes: ['deadline exceeded', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT'],
    reason: 'there was no answer in time',
    remedy: 'check firewalls and proxies on the way, and that the service is not overloaded',
  },
  {
    codes: ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ECONNABORTED'],
    reason: 'the other side broke the connection',
    remedy: 'check that the service runs, and that its address says http or https as it should',
  },
  {
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_UNTRUSTED',
    ],
    reason: 'its TLS certificate is not signed by an authority that this machine trusts',
    remedy:
      'set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of its authority, also for serve; for a downstream, tls.ca does as well',
  },
  {
    codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    reason: 'its TLS certificate is outside its validity',
    remedy: 'renew the certificate, and check the clock of this machine',
  },
  {
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    reason: 'its TLS certificate is for another host name',
    remedy: 'use the name that the certificate has, or get a certificate with this name',
  },
  {
    codes: [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    ],
    reason: 'it wants a client certificate, or another one',
    remedy: 'give tls.cert and tls.key a certificate of an authority that it trusts',
    key: 'tls.cert',
  },
  {
    codes: ['proxy: 407'],
    reason: 'the proxy on the way wants a user and a password, or other ones',
    remedy: 'write them into proxy, or into HTTPS_PROXY or HTTP_PROXY, as http://user:password@host:port',
    key: 'proxy',
  },
  {
    codes: ['proxy'],
    reason: 'the proxy on the way refuses, or cannot be reached',
    remedy: 'check the proxy that proxy, HTTPS_PROXY or HTTP_PROXY names, or exempt the host: proxy: none, or NO_PROXY',
    key: 'proxy',
  },
];

const UNKNOWN = {
  reason: 'the connection failed, or what answered does not speak HTTP',
  remedy: 'check the address, and that it says http or https as it should',
};

/** Says why a connection failed and what helps. */
export function explainTrouble(code: string): Omit<ConnectionFailure, 'codes'> {
  const kind = code.startsWith('proxy: ') && code !== 'proxy: 407' ? 'proxy' : code;
  const { reason, remedy, key }: Omit<ConnectionFailure, 'codes'> =
    TROUBLES.find(({ codes }) => codes.includes(kind)) ?? UNKNOWN;
  return { reason, remedy, ...(key !== undefined && { key }) };
}
