import { createHash } from 'node:crypto';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../../dev/emulator/world.ts';
import { startEmulator } from '../../../dev/emulator/emulator.ts';
import { startGatewayWorld, type GatewayWorld, type GatewayWorldOptions } from '../../support/gateway-world.ts';

/** A client that may call. */
export const CLIENT_ID = DESKTOP_CLIENT_ID;
/** Where its program listens; the port is whichever was free. */
export const REDIRECT_URI = 'http://localhost:49152/';

/** A PKCE verifier and its challenge. */
export const VERIFIER = 'a-verifier-that-is-long-enough-for-the-standard-0123456789';
/** The SHA-256 of the verifier. */
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** Parameters; a list is a parameter that is there several times, undefined leaves one out. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Parameters as they are sent. */
export function encode(parameters: Parameters): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value = []] of Object.entries(parameters)) {
    for (const each of [value].flat()) {
      query.append(name, each);
    }
  }
  return query;
}

/** A gateway with two MCP servers and their façades, before a strict Entra. */
export interface FacadeWorld extends GatewayWorld {
  /** The address of the server at `/mcp`, whose tool `delete_file` asks for more; the other one is at `/notes`. */
  readonly resource: string;
  /** The address by which clients reach the gateway, as gateway.yaml has it. */
  readonly origin: string;
  /** Where a path of the gateway is for a test. */
  at(path: string): string;
  /** The scope of the server with that name. */
  scope(name: 'files.read' | 'files.write'): string;
  /** Sends a good authorization request with these changes. */
  authorize(changes?: Parameters): Promise<Response>;
  /** A good authorization request with these changes, as an address. */
  authorizeUrl(changes?: Parameters): string;
  /** Signs a person in through the façade; the answer is what their program gets. */
  signIn(persona: Readonly<Record<string, string>>, changes?: Parameters): Promise<URLSearchParams>;
  /** Posts a form to the token endpoint of `/mcp`; the client id is there where nothing else is said. */
  post(form: Parameters | string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Calls a tool of `/mcp`. */
  callTool(name: string, token: string): Promise<Response>;
  /** Redeems a code. */
  redeem(code: string | null, changes?: Parameters): Promise<Response>;
}

/** The address of the gateway in gateway.yaml, where a world does not say otherwise. */
const PUBLIC_URL = 'https://api.contoso.com';

/**
 * Starts a world of its own for a test file.
 *
 * @param idUri what the Application ID URIs of the servers begin with; with another than the address of the gateway, clients
 *   reach that at the port where it listens
 */
export async function startFacadeWorld(options: GatewayWorldOptions = {}, idUri = PUBLIC_URL): Promise<FacadeWorld> {
  const scope = (name: string): string => `${idUri}/mcp/${name}`;
  const emulator = await startEmulator();
  registerServers(emulator.world, idUri);
  const world = await startGatewayWorld({
    emulator,
    contract: [{ document: describeServers(idUri) }],
    mcp: { authorizationServer: 'facade', rateLimit: { requests: 100_000 } },
    ...options,
    server: { publicUrl: idUri === PUBLIC_URL ? PUBLIC_URL : undefined, ...options.server },
    identity: { allowedClients: [CLIENT_ID], ...options.identity },
  });
  const at = (path: string): string => `${world.url}${path}`;
  const origin = idUri === PUBLIC_URL ? PUBLIC_URL : world.url;
  const resource = `${origin}/mcp`;
  const authorizeUrl = (changes: Parameters = {}): string =>
    `${at('/mcp/authorize')}?${encode({
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      resource,
      scope: `${scope('files.read')} offline_access`,
      state: 's1',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...changes,
    }).toString()}`;
  const authorize = (changes?: Parameters): Promise<Response> => fetch(authorizeUrl(changes), { redirect: 'manual' });
  const post: FacadeWorld['post'] = (form, headers = {}) =>
    fetch(at('/mcp/token'), {
      method: 'POST',
      body: typeof form === 'string' ? form : encode({ client_id: CLIENT_ID, ...form }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  return {
    ...world,
    origin,
    resource,
    at,
    scope,
    authorize,
    authorizeUrl,
    post,
    async signIn(persona, changes) {
      const toEntra = (await authorize(changes)).headers.get('location') ?? '';
      const back = await fetch(toEntra, { method: 'POST', body: new URLSearchParams(persona), redirect: 'manual' });
      return new URL(back.headers.get('location') ?? 'about:blank').searchParams;
    },
    callTool: (name, token) =>
      world.call('/mcp', {
        method: 'POST',
        token,
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
      }),
    redeem: (code, changes) =>
      post({
        grant_type: 'authorization_code',
        code: code ?? '',
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
        resource,
        ...changes,
      }),
    async close() {
      await world.close();
      await emulator.close();
    },
  };
}

/** Registers the MCP servers as Microsoft's guide has it: their addresses are Application ID URIs of one app. */
function registerServers({ apps, consents }: Awaited<ReturnType<typeof startEmulator>>['world'], idUri: string): void {
  const scopes = ['files.read', 'files.write', 'notes.read'];
  for (const app of apps.filter(({ clientId }) => clientId === GATEWAY_CLIENT_ID)) {
    app.identifierUris.push(`${idUri}/mcp`, `${idUri}/notes`);
    app.scopes.push(...scopes);
  }
  consents.push({ tenant: HOME_TENANT_ID, user: 'everyone', client: CLIENT_ID, resource: GATEWAY_CLIENT_ID, scopes });
}

function describeServers(idUri: string): object {
  const write_file = { security: [{ user: [`${idUri}/mcp/files.write`] }] };
  const tools = {
    write_file,
    move_file: write_file,
    copy_file: write_file,
    delete_file: { ...write_file, 'x-auth-context': 'c1' },
    sign_file: { 'x-auth-context': 'c1' },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Files', version: '1' },
    paths: {
      '/mcp': {
        'x-mcp-server': { service: 'api', security: [{ user: [`${idUri}/mcp/files.read`] }], tools },
      },
      '/orders': {
        get: {
          'x-downstream': { service: 'api', path: '/orders' },
          'x-auth-context': 'c1',
          security: [{ user: [`${idUri}/mcp/files.read`] }],
          responses: { '200': { description: 'The orders.' } },
        },
      },
      '/bots': { 'x-mcp-server': { service: 'api', security: [{ app: ['Orders.Read.All'] }] } },
      '/notes': { 'x-mcp-server': { service: 'orders', security: [{ user: [`${idUri}/notes/notes.read`] }] } },
    },
  };
}

/** The query of the address that an answer leads to; what is not there is undefined. */
export function queryOf(response: Response): URLSearchParams {
  return new URL(response.headers.get('location') ?? 'about:blank').searchParams;
}
