import { fileURLToPath } from 'node:url';
import { CLIENT_ID, DOWNSTREAM_SCOPE, ISSUER, STATIC_DOWNSTREAM_TOKEN, TENANT_ID } from '../world.ts';
import { SERVER_CORE, startPinned } from './child-process.ts';
import { startHaproxy } from './haproxy.ts';
import { putFirst } from './node-runtime.ts';
import { findFreePorts, untilReady } from './ports.ts';
import type { MeasuredServer, ServerSurroundings } from './server.ts';

/** Starts one of the servers that the gateway is compared with. */
export type StartPeer = (surroundings: ServerSurroundings) => Promise<MeasuredServer>;

/** HAProxy that verifies the token (signature, algorithm, expiry, audience, issuer) and swaps the header. */
export const startVerifyingHaproxy: StartPeer = async ({ routes, publicKeyFile, folder }) => {
  const [port = 0, health = 0] = await findFreePorts(2);
  const origins = [...new Set(routes.map((route) => route.origin))];
  const name = 'HAProxy with jwt_verify';
  const process = await startHaproxy({
    name,
    core: SERVER_CORE,
    folder,
    sections: `
frontend health
  bind 127.0.0.1:${health}
  http-request return status 200

frontend api
  bind 127.0.0.1:${port}
  http-request deny deny_status 401 unless { req.hdr(authorization) -m found }
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"${publicKeyFile}") -m int 1 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.iss') -m str ${ISSUER} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.aud') -m str ${CLIENT_ID} }
  http-request set-var(txn.now) date()
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request set-header Authorization "Bearer ${STATIC_DOWNSTREAM_TOKEN}"
${routes.map((route) => `  use_backend api${origins.indexOf(route.origin)} if { path ${route.path} }`).join('\n')}

${origins.map((origin, index) => `backend api${index}\n  server api ${new URL(origin).host}`).join('\n\n')}
`,
  });
  await untilReady(process, `http://127.0.0.1:${health}/`);
  return { name, origin: `http://127.0.0.1:${port}`, process, isNative: true };
};

/** `node:http` in front, undici behind, nothing else: what Node itself costs. */
export const startBareProxy: StartPeer = (surroundings) => startNodePeer('the bare proxy', 'bare-proxy', surroundings);

/** `@fastify/reply-from` as its README sets it up, without any security. */
export const startReplyFrom: StartPeer = (surroundings) =>
  startNodePeer('@fastify/reply-from', 'reply-from', surroundings);

/** Express with http-proxy-middleware as its README sets it up, without any security. */
export const startExpressProxy: StartPeer = (surroundings) =>
  startNodePeer('Express + http-proxy-middleware', 'express-proxy', surroundings);

/** The way of Microsoft's Node OBO sample: passport on each request, MSAL's own cache, axios. */
export const startOboSample: StartPeer = (surroundings) =>
  startNodePeer('the OBO sample’s way (passport + MSAL’s cache + axios)', 'obo-sample', surroundings);

async function startNodePeer(
  name: string,
  folder: string,
  { routes, entraOrigin, node }: ServerSurroundings,
): Promise<MeasuredServer> {
  const [port = 0] = await findFreePorts(1);
  const process = await startPinned({
    name,
    core: SERVER_CORE,
    command: 'node',
    args: [fileURLToPath(new URL(`../peers/${folder}/server.js`, import.meta.url))],
    env: {
      ...putFirst(node),
      PORT: String(port),
      ROUTES: JSON.stringify(routes),
      ENTRA: entraOrigin,
      ISSUER,
      TENANT_ID,
      CLIENT_ID,
      DOWNSTREAM_SCOPE,
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  await untilReady(process, `${origin}/health`);
  return { name, origin, process };
}
