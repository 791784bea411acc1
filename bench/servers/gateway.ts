import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLIENT_ID, DOWNSTREAM_SCOPE, SCOPE, TENANT_ID } from '../world.ts';
import { SERVER_CORE, startPinned } from './child-process.ts';
import { putFirst } from './node-runtime.ts';
import { findFreePorts, untilReady } from './ports.ts';
import type { MeasuredServer, Route, ServerSurroundings } from './server.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** How this gateway differs from the usual one. */
export interface GatewayOptions {
  /** Default `gateway`. */
  readonly name?: string;
  /** The file of the log; default `/dev/null`. */
  readonly logFile?: string;
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds between two looks whether it is ready. */
  readonly pauseBetween?: number;
  /** Added to gateway.yaml. */
  readonly settings?: object;
  /** The compiled main module; default that of `dist/`. */
  readonly program?: string;
  /** Processes that serve; default 1. */
  readonly workers?: number;
}

const CHECKED_BODY = { content: { 'application/json': { schema: { type: 'string' } } } };

/** Starts the gateway as its users do, and waits until it is ready. */
export async function startGateway(
  { routes, entraOrigin, folder, node }: ServerSurroundings,
  { name = 'gateway', logFile, env, pauseBetween, settings, program = PROGRAM, workers = 1 }: GatewayOptions = {},
): Promise<MeasuredServer> {
  const [port = 0, managementPort = 0] = await findFreePorts(2);
  const own = await mkdtemp(join(folder, 'gateway-'));
  const origins = [...new Set(routes.map((route) => route.origin))];
  const nameOf = (origin: string): string => `api${origins.indexOf(origin)}`;
  await writeFile(join(own, 'openapi.yaml'), JSON.stringify(describeContract(routes, nameOf)));
  await writeFile(
    join(own, 'gateway.yaml'),
    JSON.stringify({
      ...settings,
      contract: './openapi.yaml',
      server: {
        host: '127.0.0.1',
        port,
        workers,
        bodyLimit: '2gb',
        drainDelay: '0s',
        management: { port: managementPort },
      },
      identity: {
        authority: entraOrigin,
        tenant: TENANT_ID,
        clientId: CLIENT_ID,
        credential: { secret: '${GATEWAY_CLIENT_SECRET}' },
      },
      downstreams: Object.fromEntries(
        origins.map((origin) => [nameOf(origin), { baseUrl: origin, scopes: [DOWNSTREAM_SCOPE] }]),
      ),
    }),
  );
  const process = await startPinned({
    name,
    core: SERVER_CORE,
    command: 'node',
    args: [program, 'serve', '--config', join(own, 'gateway.yaml')],
    env: { ...putFirst(node), GATEWAY_CLIENT_SECRET: 'only-for-the-bench', ...env },
    ...(logFile === undefined ? {} : { stdout: logFile }),
  });
  await untilReady(process, `http://127.0.0.1:${managementPort}/readyz`, pauseBetween);
  return { name, origin: `http://127.0.0.1:${port}`, process, workers };
}

function describeContract(routes: readonly Route[], nameOf: (origin: string) => string): object {
  const scope = `api://${CLIENT_ID}/${SCOPE}`;
  const flow = {
    authorizationUrl: 'https://login.microsoftonline.com/a',
    tokenUrl: 'https://login.microsoftonline.com/t',
  };
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, path, origin, isBodyChecked } of routes) {
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: `${method}${path.replaceAll(/\W/g, '_')}`,
        security: [{ user: [scope] }],
        'x-downstream': { service: nameOf(origin) },
        ...(isBodyChecked === true ? { requestBody: CHECKED_BODY } : {}),
        responses: { default: { description: 'Whatever the API answers.' } },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Bench', version: '1.0.0' },
    paths,
    components: {
      securitySchemes: {
        user: { type: 'oauth2', flows: { authorizationCode: { ...flow, scopes: { [scope]: 'Read' } } } },
      },
    },
  };
}
