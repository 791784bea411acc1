import type { Extension, Extensions } from './extensions.ts';
import type { Operation } from './operation.ts';
import { isServable, type Found } from './operations.ts';
import { compileFill, hasStrayBrace, namesIn, parseTemplate } from '../routes/path-template.ts';

/** What the operations of a document, or of a path item, inherit unless they say otherwise. */
export interface MappingDefaults {
  /** The name of a downstream in gateway.yaml; absent where none follows. */
  readonly service: string | undefined;
  /** Stands before the path; empty for nothing. */
  readonly pathPrefix: string;
}

/** The part of an operation that says where its calls go. */
export type DownstreamMapping = Pick<Operation, 'service' | 'downstreamMethod' | 'downstreamPath' | 'fillPath'>;

/** The names of the downstreams in gateway.yaml, in its order. */
export type Services = ReadonlySet<string>;

/** Reads what a document or a path item says for all operations below it; what it does not say stays. */
export function inheritMapping(
  defaults: MappingDefaults,
  { service, pathPrefix }: Extensions,
  services: Services,
  fault: (message: string) => void,
): MappingDefaults {
  return {
    service: service === undefined ? defaults.service : readService(service, services, fault),
    pathPrefix: pathPrefix === undefined ? defaults.pathPrefix : readPathPrefix(pathPrefix, fault),
  };
}

/** Reads where the calls of an operation go. */
export function readMapping(
  { path, method }: Pick<Found, 'path' | 'method'>,
  extensions: Extensions,
  defaults: MappingDefaults,
  services: Services,
  fault: (message: string) => void,
): DownstreamMapping {
  const service =
    extensions.service === undefined ? defaults.service : readService(extensions.service, services, fault);
  if (service === undefined) {
    fault(
      `has no x-downstream with a service; name one of the downstreams of gateway.yaml here or at the root of the document, or set \`downstream\` in gateway.yaml; ${listServices(services)}`,
    );
  }
  const own = extensions.path ?? { value: `${defaults.pathPrefix}${path}`, written: 'downstream path' };
  const downstreamPath = readPath(own, fault);
  const segments = parseTemplate(downstreamPath);
  const known = namesIn(parseTemplate(path));
  for (const name of namesIn(segments).filter((candidate) => !known.includes(candidate))) {
    fault(`uses the path parameter ${name} in its ${own.written}, which its own path lacks`);
  }
  if (extensions.path !== undefined && hasStrayBrace(downstreamPath)) {
    fault(`has a brace in its ${own.written} that belongs to no parameter; a parameter is written {name}`);
  }
  return {
    service: service ?? '',
    downstreamMethod: readMethod(method, extensions.method, fault),
    downstreamPath,
    fillPath: compileFill(segments),
  };
}

function readService({ value, written }: Extension, services: Services, fault: (message: string) => void): string {
  if (typeof value !== 'string') {
    fault(`has the ${written} ${JSON.stringify(value)}; ${listServices(services)}`);
  } else if (!services.has(value)) {
    fault(`names the unknown service ${value}; ${listServices(services)}`);
  }
  return String(value);
}

/** What downstreams there are, as faults say it. */
export function listServices(services: Services): string {
  return `known: ${[...services].join(', ') || 'none'}`;
}

const PATH_ALLOWED = 'it must begin with one / and hold no query, dot segments or backslashes';

function readPathPrefix({ value, written }: Extension, fault: (message: string) => void): string {
  if (value === '/') {
    return '';
  }
  if (typeof value !== 'string' || !isDownstreamPath(value) || value.endsWith('/')) {
    fault(`has the ${written} ${JSON.stringify(value)}; ${PATH_ALLOWED}, and no / at its end`);
    return '';
  }
  return value;
}

function readPath({ value, written }: Extension, fault: (message: string) => void): string {
  if (typeof value !== 'string' || !isDownstreamPath(value)) {
    fault(`has the ${written} ${JSON.stringify(value)}; ${PATH_ALLOWED}`);
  }
  return String(value);
}

function readMethod(method: string, own: Extension | undefined, fault: (message: string) => void): string {
  const { value, written } = own ?? { value: method, written: 'method' };
  const mapped = String(value).toUpperCase();
  if (typeof value !== 'string' || !isServable(mapped)) {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: the name of a method such as GET, but not TRACE`);
  }
  if ((mapped === 'HEAD') !== (method === 'head')) {
    fault('maps between HEAD and another method, whose answers differ in their bodies');
  }
  return mapped;
}

function isDownstreamPath(template: string): boolean {
  return /^\/(?!\/)[^?#\\\s\p{Cc}]*$/u.test(template) && !/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(template);
}
