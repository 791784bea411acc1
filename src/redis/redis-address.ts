import type { EntraLoginSettings } from './entra-login.ts';

/** One server of a Redis deployment. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** The address of Redis and the credentials for it, as `tokenCache.redis.url` has them. */
export interface RedisAddress {
  /** The address without user and password, for logs and reports. */
  readonly shown: string;
  /** True for TLS. */
  readonly encrypted: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The number of the database; default 0. */
  readonly database: number;
  readonly place: RedisPlace;
  /** Files with what the address lacks. */
  readonly loginFiles?: RedisLoginFiles;
  /** Present when the gateway logs in by a token of Entra. */
  readonly entra?: EntraLoginSettings;
}

/** The paths of files that hold users and passwords, as the other keys of `tokenCache.redis` name them. */
export interface RedisLoginFiles {
  readonly userFile?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly sentinelUserFile?: string | undefined;
  readonly sentinelPasswordFile?: string | undefined;
}

/** The four ways in which a Redis deployment can be reached. */
export type RedisPlace =
  | { readonly kind: 'server'; readonly node: RedisNode }
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[] }
  | {
      readonly kind: 'sentinel';
      readonly nodes: readonly RedisNode[];
      /** The name by which the Sentinels know the primary. */
      readonly primary: string;
      readonly username: string | undefined;
      readonly password: string | undefined;
    };

/** Says what an address must be like; the message quotes nothing of the address, which holds a password. */
export class RedisAddressError extends Error {
  override readonly name = 'RedisAddressError';
}

type RedisKind = RedisPlace['kind'];

const KINDS: Readonly<Record<string, RedisKind>> = {
  '': 'server',
  '+unix': 'socket',
  '+cluster': 'cluster',
  '+sentinel': 'sentinel',
};

const EXAMPLES: Readonly<Record<RedisKind, string>> = {
  server: 'redis://user:password@host:6379/0',
  socket: 'redis+unix:///run/redis/redis.sock?db=0',
  cluster: 'redis+cluster://user:password@host1:6379,host2:6379',
  sentinel: 'redis+sentinel://user:password@host1:26379,host2:26379/name-of-the-primary/0',
};

const DEFAULT_PORTS: Readonly<Record<RedisKind, number>> = { server: 6379, socket: 0, cluster: 6379, sentinel: 26_379 };

/** The query parameters that each kind allows. */
const PARAMETERS: Readonly<Record<RedisKind, readonly string[]>> = {
  server: [],
  socket: ['db', 'username', 'password'],
  cluster: [],
  sentinel: ['sentinelUsername', 'sentinelPassword'],
};

/**
 * The parts of an address. `URL` cannot parse a list of hosts, so the address is parsed here.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-3
 */
const ADDRESS =
  /^(?<scheme>rediss?)(?<suffix>\+[a-z]+)?:\/\/(?:(?<user>[^@/?#]*)@)?(?<hosts>[^@/?#]*)(?<path>\/[^@?#]*)?(?:\?(?<query>[^#]*))?$/;

const HOST = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]\s]+)(?::(?<port>\d{1,5}))?$/i;

/**
 * Parses an address of Redis. The scheme is `redis` or `rediss` (with TLS), and `+sentinel`, `+cluster` or `+unix`
 * after it names another deployment than one server. User, password and names are percent-encoded.
 *
 * @throws {RedisAddressError} which says what is allowed
 */
export function parseRedisAddress(text: string): RedisAddress {
  const parts = ADDRESS.exec(text)?.groups;
  const kind = parts && KINDS[parts['suffix'] ?? ''];
  if (parts === undefined || kind === undefined) {
    throw new RedisAddressError(
      `an address such as ${EXAMPLES.server} (rediss:// for TLS, redis+sentinel://, redis+cluster:// and redis+unix:// for the others; @, / and : in a password are percent-encoded)`,
    );
  }
  const encrypted = parts['scheme'] === 'rediss';
  const query = readQuery(parts['query'] ?? '', kind);
  const [username, password] = readUser(parts['user'] ?? '', kind);
  const path = decode(parts['path'] ?? '', kind);
  return {
    shown: `${parts['scheme']}${parts['suffix'] ?? ''}://${parts['hosts'] ?? ''}${parts['path'] ?? ''}`,
    encrypted,
    username: username ?? query.get('username'),
    password: password ?? query.get('password'),
    ...readPlace({ kind, hosts: parts['hosts'] ?? '', path, query, encrypted }),
  };
}

interface AddressParts {
  readonly kind: RedisKind;
  readonly hosts: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly encrypted: boolean;
}

function readPlace({ kind, hosts, path, query, encrypted }: AddressParts): Pick<RedisAddress, 'place' | 'database'> {
  if (kind === 'socket') {
    demand(hosts === '' && path.length > 1 && !encrypted, kind, 'a path on this machine, without a host and TLS');
    return { place: { kind, path }, database: readDatabase(query.get('db') ?? '', kind) };
  }
  const nodes = hosts.split(',').map((host) => readNode(host, kind));
  const [node, ...others] = nodes;
  const [first = '', second = '', ...rest] = path.split('/').slice(1);
  if (kind === 'sentinel') {
    demand(first !== '' && rest.length === 0, kind, 'the name of the primary after the Sentinels');
    const credentials = { username: query.get('sentinelUsername'), password: query.get('sentinelPassword') };
    return { place: { kind, nodes, primary: first, ...credentials }, database: readDatabase(second, kind) };
  }
  if (kind === 'cluster') {
    demand(first === '' && second === '' && rest.length === 0, kind, 'no database: a cluster has only one');
    return { place: { kind, nodes }, database: 0 };
  }
  demand(
    node !== undefined && others.length === 0,
    kind,
    'one host; several need redis+sentinel:// or redis+cluster://',
  );
  demand(second === '' && rest.length === 0, kind, 'nothing after the number of the database');
  return { place: { kind, node: node as RedisNode }, database: readDatabase(first, kind) };
}

function readNode(text: string, kind: RedisKind): RedisNode {
  const { host, port } = HOST.exec(text)?.groups ?? {};
  const number = Number(port ?? DEFAULT_PORTS[kind]);
  if (host === undefined || number < 1 || number > 65_535) {
    throw addressError(kind, 'each host with a port from 1 to 65535, or without one');
  }
  return { host: host.replaceAll(/[[\]]/g, ''), port: number };
}

function readUser(text: string, kind: RedisKind): [username: string | undefined, password: string | undefined] {
  const [username = '', password = '', ...rest] = text.split(':').map((part) => decode(part, kind));
  demand(rest.length === 0, kind, 'a user and a password whose own colons are written %3A');
  return [username || undefined, password || undefined];
}

function readQuery(text: string, kind: RedisKind): ReadonlyMap<string, string> {
  const query = new Map(new URLSearchParams(text.replaceAll('+', '%2B')));
  const known = PARAMETERS[kind];
  const allowed = known.length === 0 ? 'no query' : `no other query than ${known.join(', ')}`;
  demand(
    [...query.keys()].every((name) => known.includes(name)),
    kind,
    allowed,
  );
  return query;
}

function readDatabase(text: string, kind: RedisKind): number {
  demand(/^\d{0,5}$/.test(text), kind, 'a number for the database');
  return Number(text);
}

function decode(text: string, kind: RedisKind): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw addressError(kind, '% only as the start of a percent-encoding (a % itself is %25)');
  }
}

function demand(holds: boolean, kind: RedisKind, what: string): void {
  if (!holds) {
    throw addressError(kind, what);
  }
}

function addressError(kind: RedisKind, what: string): RedisAddressError {
  return new RedisAddressError(`an address such as ${EXAMPLES[kind]}, with ${what}`);
}
