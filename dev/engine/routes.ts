/** An API behind the engine, and the calls that belong there. */
export interface Route {
  /** The first segment of the paths: `/orders` has `/orders` itself and what is below it. */
  readonly path: string;
  /** Where the API is: scheme, host and port. */
  readonly origin: string;
  /** What stands before the path at the API; default nothing. */
  readonly prefix?: string;
}

/** The gateway lets a call pass for which the engine has no API. */
export class NoRoute extends Error {}

/**
 * Finds where a call goes. The token that the gateway gives is for the API that the contract names, so the routes have the
 * paths of the contract, and only in the spelling of the contract: `/%6De` is none of them, whatever the gateway says of
 * it, or its token would go to another API.
 *
 * @param target path and query as the client sent them, still encoded
 * @throws {NoRoute} when there is no such API
 */
export function findRoute(routes: readonly Route[], target: string): Route {
  const [path = ''] = target.split('?', 1);
  const route = routes.find((each) => path === each.path || path.startsWith(`${each.path}/`));
  if (route === undefined) {
    throw new NoRoute(`no API has ${path}`);
  }
  return route;
}
