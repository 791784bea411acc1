/** What an operator can do, by the code of a system error or the first word of an error of Redis. */
const REMEDIES: Readonly<Record<string, string>> = {
  WRONGPASS:
    'check the user and the password in tokenCache.redis.url, or in userFile and passwordFile; with entra, that the identity is a user of this Redis',
  NOAUTH: 'put the user and the password into tokenCache.redis.url, or name files with userFile and passwordFile',
  NOPERM: 'let the user run the commands that docs/redis.md lists, on keys that start with obo:',
  READONLY: 'point tokenCache.redis.url at the primary, or at the Sentinels (redis+sentinel://)',
  NOREPLICAS: 'bring back the replicas that min-replicas-to-write asks for',
  MISCONF: 'let Redis save to its disk again, or switch saving off: the gateway does not need it',
  OOM: 'raise maxmemory, or set maxmemory-policy to volatile-ttl',
  LOADING: 'wait until Redis has loaded its data',
  MASTERDOWN: 'bring the primary back',
  CLUSTERDOWN:
    'bring the cluster back to a state in which it covers all slots (CLUSTER INFO, which the user has to be allowed, says cluster_state:ok)',
  MOVED: 'say that it is a cluster: redis+cluster:// in tokenCache.redis.url',
  CROSSSLOT: 'say that it is a cluster: redis+cluster:// in tokenCache.redis.url',
  SENTINEL: 'check the Sentinels and the name of the primary in tokenCache.redis.url',
  TIMEOUT: 'check that Redis is near and not overloaded',
  ECONNREFUSED: 'check the host and the port in tokenCache.redis.url, and that Redis runs',
  ENOTFOUND: 'check the host in tokenCache.redis.url',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use the host name that the certificate of Redis has',
  CERT_HAS_EXPIRED: 'renew the certificate of Redis',
};

const UNTRUSTED =
  'set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of the authority that issued the certificate of Redis';

const OTHER = 'check tokenCache.redis.url (rediss:// when it speaks TLS), and that Redis runs and can be reached';

/** The code of an error that says nothing. */
const UNKNOWN = 'UNREACHABLE';

/** A command was not sent, because there is no connection; {@link ConnectionListener.onFailure} says why. */
export class RedisDisconnected extends Error {
  override readonly name = 'RedisDisconnected';
}

/** A command had no answer in time. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout';
}

/**
 * The code of an error of Redis or of the connection. Nothing else of the error may be logged, because an error of the
 * client library holds the command and its arguments.
 */
export function codeOfFailure(error: unknown): string {
  if (error instanceof RedisTimeout) {
    return 'TIMEOUT';
  }
  const { code, message = '' } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  if (typeof code === 'string') {
    return code;
  }
  if (/sentinel/i.test(message)) {
    return 'SENTINEL';
  }
  // The error of a script has the reply of its command somewhere in its message.
  return /\b(?<word>[A-Z]{3,})\b/.exec(message)?.groups?.['word'] ?? UNKNOWN;
}

/** The later of two errors, or the earlier one when only that has a code. */
export function tellMore(earlier: unknown, later: unknown): unknown {
  return earlier !== undefined && codeOfFailure(later) === UNKNOWN ? earlier : later;
}

/** What an operator can do about a code of {@link codeOfFailure}. */
export function remedyOf(code: string): string {
  return REMEDIES[code] ?? (/CERT|SIGNATURE/.test(code) ? UNTRUSTED : OTHER);
}
