import type { IncomingMessage } from 'node:http';
import { GUID } from '../syntax/http-syntax.ts';

/** What Express adds to a message that names the route; a message of Node alone has none of it. */
type RoutedMessage = IncomingMessage & {
  readonly baseUrl?: string;
  readonly originalUrl?: string;
  readonly route?: { readonly path?: unknown };
  readonly params?: Readonly<Record<string, unknown>>;
};

/** A segment that is hardly a word of the program: a number, an id, something encoded, or something long. */
const VALUE = /^\d+$|[%@=]|^.{40,}$/;

/**
 * Names the operation of a request by its method and its route, with the names of parameters in the place of their
 * values: the log and the metrics have one name for all requests of a route.
 *
 * @returns the path of the route; `*` for its rest, where a whole part of an application is protected
 */
export function nameRoute(message: IncomingMessage): string {
  const { baseUrl = '', route, params = {} } = message as RoutedMessage;
  const path = route?.path === undefined ? '/*' : nameRoutePath(route.path);
  return baseUrl === '' ? path : `${nameMount(baseUrl, params)}${path === '/' ? '' : path}`;
}

function nameRoutePath(path: unknown): string {
  return Array.isArray(path) ? path.map(String).join('|') : String(path);
}

/** Express does not say which segments of the path of a router were parameters. */
function nameMount(baseUrl: string, params: Readonly<Record<string, unknown>>): string {
  const names = new Map(Object.entries(params).map(([name, value]) => [String(value), name]));
  return baseUrl
    .split('/')
    .map((segment) => {
      const name = names.get(segment);
      return name === undefined ? (VALUE.test(segment) || GUID.test(segment) ? ':id' : segment) : `:${name}`;
    })
    .join('/');
}
