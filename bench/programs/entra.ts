import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { DOWNSTREAM_TOKEN_PREFIX, ISSUER, TENANT_ID } from '../world.ts';

/*
 * A tiny Entra: metadata, keys, and a token endpoint that exchanges every assertion at once and counts. It answers what
 * MSAL's cache needs to tell users apart: client_info, an id_token, and the scopes that were asked for.
 *
 * Arguments: the port, the file of the JSON Web Key Set, the milliseconds that an exchange takes.
 */

const [port, jwksFile = '', delay = '0'] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const keySet = readFileSync(jwksFile, 'utf8');
let exchanges = 0;

const server = createServer((req, res) => {
  answer(req, res).catch((error: unknown) => res.writeHead(500).end(String(error)));
});
// Clients keep their connections as long as they like, as they can with Entra.
server.keepAliveTimeout = 0;
server.listen(Number(port), '127.0.0.1');

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = req.url ?? '';
  res.setHeader('content-type', 'application/json');
  if (path.includes('/.well-known/openid-configuration')) {
    res.end(JSON.stringify({ issuer: ISSUER, jwks_uri: `${origin}/keys` }));
  } else if (path === '/keys') {
    res.end(keySet);
  } else if (path === '/exchanges') {
    res.end(String(exchanges));
  } else if (path.includes('/oauth2/v2.0/token')) {
    exchanges += 1;
    const form = new URLSearchParams(await text(req));
    if (Number(delay) > 0) {
      await pause(Number(delay));
    }
    res.end(JSON.stringify(exchange(form.get('assertion') ?? '', form.get('scope') ?? '')));
  } else {
    res.writeHead(404).end('{}');
  }
}

function exchange(assertion: string, scope: string): object {
  const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as { oid: string };
  return {
    token_type: 'Bearer',
    scope,
    expires_in: 86_000,
    ext_expires_in: 86_000,
    access_token: `${DOWNSTREAM_TOKEN_PREFIX}${claims.oid}.`.padEnd(1_500, 'x'),
    client_info: encode({ uid: claims.oid, utid: TENANT_ID }),
    id_token: `${encode({ alg: 'none' })}.${encode({ ...claims, aud: 'client', sub: claims.oid })}.`,
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
