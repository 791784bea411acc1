import type { Contract } from '../contract/contract.ts';
import { FACADE_PATHS, wellKnownPath } from '../contract/own-paths.ts';
import type { ConfigFault } from '../failures.ts';
import { GUID } from '../syntax/http-syntax.ts';
import { isJsonObject } from '../syntax/json.ts';
import { decodePath } from './decode-path.ts';
import { readPublicPath } from './read-public-path.ts';
import { readKey } from './tree.ts';

/** Checks what `mcp` needs of other keys. It reads the tree, so that it also works when other keys are wrong. */
export function checkMcp(tree: unknown): ConfigFault[] {
  const mcp = readKey(tree, 'mcp');
  if (!isJsonObject(mcp)) {
    return [];
  }
  const { clientId, register, rateLimit } = mcp;
  if (!hasFacade(tree)) {
    return Object.entries({ clientId, register, rateLimit })
      .filter(([, value]) => value !== undefined)
      .map(([key]) => ({
        at: `mcp.${key}`,
        message: 'found a value; allowed: nothing without authorizationServer: facade',
      }));
  }
  const clients = listClients(tree);
  return [
    ...(clients.length === 0
      ? [
          {
            at: 'identity.allowedClients',
            message: 'found nothing; allowed: at least one client id with mcp.authorizationServer: facade',
          },
        ]
      : []),
    ...(register === true && clientId === undefined
      ? [{ at: 'mcp.clientId', message: 'found nothing; allowed: a client id with mcp.register: true' }]
      : []),
    ...(clientId !== undefined && register !== true
      ? [{ at: 'mcp.clientId', message: 'found a value; allowed: nothing without mcp.register: true' }]
      : []),
    ...(typeof clientId === 'string' &&
    GUID.test(clientId) &&
    clients.length > 0 &&
    !clients.includes(clientId.toLowerCase())
      ? [{ at: 'mcp.clientId', message: 'found a client id that is not in identity.allowedClients' }]
      : []),
  ];
}

/** Finds what of the contract a façade does not go with: no server to stand for, and operations that nobody could reach. */
export function checkFacadePaths(tree: unknown, { operations, mcpServers }: Contract): ConfigFault[] {
  if (!hasFacade(tree)) {
    return [];
  }
  const servers = mcpServers.filter(({ scopes }) => scopes.length > 0);
  const publicPath = readPublicPath(tree);
  const paths = new Set(
    servers.flatMap(({ path }) => [
      wellKnownPath('authorizationServer', { pathname: `${publicPath}${path}` }),
      ...Object.values(FACADE_PATHS).map((endpoint) => `${path}${endpoint}`),
    ]),
  );
  return [
    ...(servers.length === 0
      ? [
          {
            at: 'mcp.authorizationServer',
            message: 'found "facade"; allowed: entra, because the contract has no x-mcp-server with scopes for users',
          },
        ]
      : []),
    ...operations
      .filter(({ path }) => paths.has(decodePath(path)))
      .map(({ method, path }) => ({
        at: `contract ${method} ${path}`,
        message: 'is a path of the authorization façade (mcp.authorizationServer)',
      })),
  ];
}

function hasFacade(tree: unknown): boolean {
  return readKey(readKey(tree, 'mcp'), 'authorizationServer') === 'facade';
}

function listClients(tree: unknown): readonly string[] {
  const clients = readKey(readKey(tree, 'identity'), 'allowedClients');
  return Array.isArray(clients)
    ? (clients as unknown[]).filter((client) => typeof client === 'string').map((client) => client.toLowerCase())
    : [];
}
