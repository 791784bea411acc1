import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli.ts';
import { challengeWith, missingToken, startHostileGateway, type FixedAnswer } from './hostile-gateway.ts';

/** What a command wrote, and what it ended with. */
export interface CommandResult {
  readonly code: number;
  readonly out: readonly string[];
  readonly errors: readonly string[];
}

/** Runs `obo-gateway verify` and collects what it writes. */
export async function runVerify(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await run(['verify', ...args], {
    env,
    writeOut: (line) => out.push(line),
    writeError: (line) => errors.push(line),
    untilStopped: () => Promise.resolve(),
    onHangUp: () => {},
  });
  return { code, out, errors };
}

/** A contract with one path for everybody, one for people, and one that a program posts to. */
export const smallContract = {
  openapi: '3.1.0',
  info: { title: 'Small', version: '1' },
  servers: [{ url: 'https://api.contoso.com' }],
  components: {
    securitySchemes: {
      person: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: 'https://login.contoso.com/authorize',
            tokenUrl: 'https://login.contoso.com/token',
            scopes: { Read: 'Look' },
          },
        },
      },
    },
  },
  paths: {
    '/status': {
      get: {
        operationId: 'getStatus',
        security: [],
        responses: {
          '200': { description: 'Well.', content: { 'application/json': {} } },
          '404': { description: 'Nothing.', content: { 'application/json': {}, 'text/plain': {} } },
        },
      },
    },
    '/things/{id}': {
      get: {
        operationId: 'getThing',
        security: [{ person: ['Read'] }],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { '200': { description: 'It.', content: { 'application/json': {} } } },
      },
    },
    '/jobs': {
      post: {
        operationId: 'startJob',
        security: [{ person: ['Read'] }],
        requestBody: { content: { 'application/json': { schema: { type: 'object' } }, 'text/csv': {} } },
        responses: { '202': { description: 'Taken.' } },
      },
    },
  },
};

/** A request as a gateway sees it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
}

/** Answers as a gateway of {@link smallContract} should. */
export function answerRight({ method, path, token }: SeenRequest, basePath = ''): FixedAnswer {
  switch (path) {
    case '/openapi.json':
      return isRead(method) ? publicJson(smallContract) : wrongMethod(path, 'GET, HEAD');
    case '/.well-known/oauth-protected-resource':
      return isRead(method) ? publicJson(metadata) : wrongMethod(path, 'GET, HEAD');
    case `${basePath}/status`:
      return isRead(method) ? json({ open: true }) : wrongMethod(path, 'GET, HEAD');
    case `${basePath}/things/sample`:
      return isRead(method) ? guarded(path, token, json({ id: 1 })) : wrongMethod(path, 'GET, HEAD');
    case `${basePath}/jobs`:
      return method === 'POST' ? guarded(path, token, brokenBody(path)) : wrongMethod(path, 'POST');
    default:
      return refusal(path, 404, 'not_found');
  }
}

/** What such a gateway says of itself (RFC 9728). */
export const metadata = {
  resource: 'https://api.contoso.com',
  authorization_servers: ['https://login.microsoftonline.com/common/v2.0'],
  scopes_supported: ['Read'],
};

/** A problem document of the gateway. */
export function refusal(path: string, status: number, code: string, headers: object = {}): FixedAnswer {
  return missingToken(path, {
    status,
    problem: { status, code, type: `urn:obo-gateway:problem:${code}` },
    headers: { 'www-authenticate': undefined, ...headers },
  });
}

/** Without `--write` every body that comes is broken. */
function brokenBody(path: string): FixedAnswer {
  const errors = [
    { in: 'body', detail: 'must be an object' },
    { in: 'header', name: 'content-type', detail: 'must be declared' },
  ];
  const problem = { status: 400, code: 'invalid_request', type: 'urn:obo-gateway:problem:invalid_request', errors };
  return missingToken(path, { status: 400, problem, headers: { 'www-authenticate': undefined } });
}

/** A 405 that names the methods there are. */
export function wrongMethod(path: string, allow: string): FixedAnswer {
  return refusal(path, 405, 'method_not_allowed', { allow });
}

/** A document that every page may read. */
export function publicJson(value: unknown): FixedAnswer {
  const { headers, ...answer } = json(value);
  return { ...answer, headers: { ...headers, 'access-control-allow-origin': '*' } };
}

/** An answer of JSON. */
export function json(value: unknown): FixedAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function guarded(path: string, token: string | undefined, answer: FixedAnswer): FixedAnswer {
  return token === 'user' ? answer : token === undefined ? missingToken(path) : invalidToken(path);
}

/** The refusal of a token that is none. */
export function invalidToken(path: string): FixedAnswer {
  return refusal(path, 401, 'invalid_token', { 'www-authenticate': challengeWith(', error="invalid_token"') });
}

/** How a gateway is verified. */
export interface SmallVerification {
  /** Default {@link smallContract}. */
  readonly contract?: object;
  /** Default `/`: what the address has behind its port. */
  readonly urlPath?: string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

/** Verifies a gateway that gives these answers. */
export async function verifySmall(
  answerTo: (request: SeenRequest) => FixedAnswer,
  { contract = smallContract, urlPath = '', args = [], env = {} }: SmallVerification = {},
): Promise<CommandResult & { readonly requests: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'verify-small-'));
  const gateway = await startHostileGateway((token, path, method) => answerTo({ method, path, token }));
  try {
    const file = join(folder, 'contract.json');
    await writeFile(file, JSON.stringify(contract));
    const result = await runVerify(['--contract', file, '--url', `${gateway.url}${urlPath}`, ...args], env);
    return { ...result, requests: gateway.requests };
  } finally {
    await gateway.close();
    await rm(folder, { recursive: true });
  }
}
