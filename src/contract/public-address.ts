import { GatewayError } from '../failures.ts';
import type { Contract } from './contract.ts';
import type { Operation } from './operations/operation.ts';
import { compileFill, namesIn, parseTemplate, type EncodedValues } from './routes/path-template.ts';
import { RouteTable } from './routes/route-table.ts';

/** Where a gateway and the APIs behind it are. */
export interface Places {
  /** How clients reach the gateway; may have a path. `undefined` where nobody says it: then addresses have no host. */
  readonly publicUrl: URL | undefined;
  readonly contract: Pick<Contract, 'operations' | 'routes'>;
  /** By name. */
  readonly downstreams: Readonly<Record<string, DownstreamPlace>>;
}

/** Where a downstream is, and the parameters that the gateway adds to every call, which are no caller's to see. */
export interface DownstreamPlace {
  /** Without a slash at the end; absent where the gateway calls nobody, so that nobody answers. */
  readonly baseUrl?: string | undefined;
  readonly query: Readonly<Record<string, string>>;
}

/** The request that a downstream answered: references are relative to it (RFC 9110 §10.2.2). */
export interface AnsweredRequest {
  /** Which of the documents of the contract its operation stands in. */
  readonly document: number;
  /** The name of the downstream. */
  readonly service: string;
  /** The path below its base address, and the query. */
  readonly target: string;
  /** Where the contract begins below the public address, in an application; default nothing. */
  readonly mountPath?: string;
}

/**
 * Says what callers can do with an address that a downstream gives.
 *
 * @param reference absolute or relative, as it stands in a header
 * @returns for the downstream's own address, the public one of the operation that leads there, or `undefined` when none
 *   does; any other address as it is
 */
export type ToPublicAddress = (reference: string, request: AnsweredRequest) => string | undefined;

/** Makes the way back from the downstreams' addresses to those of the contract. */
export function createPublicAddresses({ publicUrl, contract, downstreams }: Places): ToPublicAddress {
  const publicPrefix = publicUrl?.pathname.replace(/\/$/, '') ?? '';
  const ways = createWaysBack(contract.operations);
  return (reference, { document, service, target, mountPath = '' }) => {
    const { baseUrl, query = {} } = downstreams[service] ?? {};
    if (baseUrl === undefined) {
      return reference;
    }
    const base = new URL(baseUrl);
    const address = parse(reference, `${baseUrl}${target}`);
    if (address === undefined || !isOwn(address, base)) {
      return reference;
    }
    const path = pathBelow(base, address);
    const publicPath = path === undefined ? undefined : findPublicPath(document, service, path);
    return publicPath === undefined
      ? undefined
      : `${originOf(reference)}${publicPrefix}${mountPath}${publicPath}${withoutFixed(address.search, query)}${address.hash}`;
  };

  /** A relative reference stays one: callers resolve it against the address that they called. */
  function originOf(reference: string): string {
    return ABSOLUTE.test(reference) ? (publicUrl?.origin ?? '') : '';
  }

  /** The document of the request counts first: two may lead to one downstream, below their own prefixes. */
  function findPublicPath(document: number, service: string, path: string): string | undefined {
    return findWay(ways.get(nameWays(service, document)), path) ?? findWay(ways.get(nameWays(service)), path);
  }

  function findWay(table: RouteTable<WayBack> | undefined, path: string): string | undefined {
    try {
      const way = table?.match(ANY_METHOD, path);
      const publicPath = way?.entry.fillPublic(way.encoded);
      return way && publicPath !== undefined && leadsThere(publicPath, way.entry.operation, way.encoded)
        ? publicPath
        : undefined;
    } catch (error) {
      if (error instanceof GatewayError) {
        return undefined;
      }
      throw error;
    }
  }

  /** A more concrete operation may stand in the way, and lead elsewhere. */
  function leadsThere(publicPath: string, operation: Operation, values: EncodedValues): boolean {
    const found = contract.routes.match(operation.method, publicPath);
    const { service, fillPath } = found.entry;
    return service === operation.service && fillPath(found.encoded) === operation.fillPath(values);
  }
}

/** A reference that names a host (RFC 3986 §4.1, §4.2), as browsers read it. */
const ABSOLUTE = /^\s*(?:[a-z][a-z\d+.-]*:|[\\/]{2})/i;

interface WayBack {
  readonly operation: Operation;
  readonly fillPublic: (values: EncodedValues) => string;
}

/** An address says nothing of the method that it will be used with. */
const ANY_METHOD = '*';

/** Under which the ways back from a downstream are kept: those of one document, or all. */
function nameWays(service: string, document?: number): string {
  return document === undefined ? service : `${service} ${document}`;
}

/** The downstream's paths of each service; where several operations lead to one, GET counts, else the first. */
function createWaysBack(operations: readonly Operation[]): ReadonlyMap<string, RouteTable<WayBack>> {
  const ways = new Map<string, RouteTable<WayBack>>();
  for (const operation of operations.toSorted((one, other) => rank(one) - rank(other)).filter(isReversible)) {
    const { service, document, path, downstreamPath, multiSegment, matrix } = operation;
    const way = { operation, fillPublic: compileFill(parseTemplate(path)) };
    for (const name of [nameWays(service), nameWays(service, document)]) {
      const table = ways.get(name) ?? new RouteTable<WayBack>();
      ways.set(name, table);
      table.add(ANY_METHOD, downstreamPath, multiSegment !== undefined, way, matrix);
    }
  }
  return ways;
}

function rank({ method }: Operation): number {
  return method === 'GET' ? 0 : 1;
}

/** Every parameter of the public path must stand in the downstream's, once; a rest of the path only at its end. */
function isReversible({ path, downstreamPath, multiSegment }: Operation): boolean {
  const known = namesIn(parseTemplate(downstreamPath));
  const isUnambiguous = new Set(known).size === known.length;
  const restIsLast = multiSegment === undefined || downstreamPath.endsWith(`/{${multiSegment}}`);
  return isUnambiguous && restIsLast && namesIn(parseTemplate(path)).every((name) => known.includes(name));
}

/** Header values are bytes, and those beyond ASCII are UTF-8 if anything. */
function parse(reference: string, base: string): URL | undefined {
  const text = /^[\x20-\x7e]*$/.test(reference) ? reference : Buffer.from(reference, 'latin1').toString();
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}

/** Behind a proxy that ends TLS a server may call itself http; user names change nothing. */
function isOwn(address: URL, base: URL): boolean {
  const sameProtocol =
    address.protocol === base.protocol || (base.protocol === 'https:' && address.protocol === 'http:');
  return sameProtocol && address.port === base.port && bareHost(address) === bareHost(base);
}

/** The dot of a fully qualified name is no other host. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/\.$/, '');
}

function pathBelow(base: URL, { pathname }: URL): string | undefined {
  const basePath = base.pathname.replace(/\/$/, '');
  const rest = pathname.startsWith(basePath) ? pathname.slice(basePath.length) : undefined;
  return rest === undefined || rest.startsWith('/') ? rest : undefined;
}

/** They may be keys, and are added to the next call again. */
function withoutFixed(search: string, fixed: Readonly<Record<string, string>>): string {
  const pairs = search.slice(1).split('&');
  const kept = pairs.filter((pair) =>
    [...new URLSearchParams(pair)].every(([name, value]) => !Object.hasOwn(fixed, name) || fixed[name] !== value),
  );
  return kept.join('&') === '' ? '' : `?${kept.join('&')}`;
}
