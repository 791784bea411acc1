import { createHash, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { listenOnLoopback } from '../../dev/loopback-server.ts';

/** One answer of an issuer. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A key pair with the id under which it is published. */
export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
}

/** What an issuer publishes; all of it may be changed while it runs. */
export interface Publications {
  v1: Reply;
  v2: Reply;
  keys: Reply;
}

/** An issuer that publishes whatever a test wants, also what no honest one would. */
export interface TokenIssuer {
  readonly origin: string;
  readonly publications: Publications;
  /** The paths of all requests, oldest first. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** The answer that holds a value as JSON. */
export function json(value: unknown): Reply {
  return { body: JSON.stringify(value) };
}

/** Makes an RSA key and its JWK. */
export function makeIssuerKey(changes: Readonly<Record<string, unknown>> = {}): IssuerKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const own = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(own.n ?? '')
    .digest('base64url');
  const jwk: JsonWebKey = { use: 'sig', kid, ...own, ...changes };
  return { kid, privateKey, jwk };
}

/** Signs any text as the payload of a token, also what is no JSON object. */
export function signText(payload: string, { kid, privateKey }: IssuerKey): string {
  const header = JSON.stringify({ typ: 'JWT', alg: 'RS256', kid });
  const input = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}

/** Starts an issuer whose v1 and v2 tokens are signed with the same keys. */
export async function startTokenIssuer(keys: readonly JsonWebKey[]): Promise<TokenIssuer> {
  const publications: Publications = { v1: json({}), v2: json({}), keys: json({ keys }) };
  const requests: string[] = [];
  const server = await listenOnLoopback({}, () => (req, res) => {
    const path = req.url ?? '';
    requests.push(path);
    const { status = 200, headers = {}, body } = publications[whatIsAsked(path)];
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  const { origin } = server;
  publications.v1 = json({ issuer: `${origin}/v1/{tenantid}/`, jwks_uri: `${origin}/keys` });
  publications.v2 = json({ issuer: `${origin}/{tenantid}/v2.0`, jwks_uri: `${origin}/keys` });
  return { origin, publications, requests, close: () => server.close() };
}

function whatIsAsked(path: string): keyof Publications {
  if (path.includes('/v2.0/.well-known/')) {
    return 'v2';
  }
  return path.includes('/.well-known/') ? 'v1' : 'keys';
}
