import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../../src/failures.ts';
import type { Principal } from '../../src/session/principal.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import type { RequestTrace } from '../../src/telemetry/otlp/request-trace.ts';
import { createRequestLog } from '../../src/telemetry/request-log.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';

const PRINCIPAL: Principal = {
  kind: 'user',
  tenantId: 'tenant',
  objectId: 'object',
  clientId: 'client',
  scopes: new Set(),
  roles: new Set(),
  authContexts: new Set(),
  issuedAtSeconds: 0,
  handlesClaims: true,
  isBound: true,
};

/** Everything that can be known of a request; a new member of the record is one here, too. */
const RECORD: Required<RequestRecord> = {
  requestId: 'request',
  startedAt: 0,
  via: 'check',
  isRepeated: false,
  areCallsCounted: false,
  operation: 'operation',
  principal: PRINCIPAL,
  downstream: 'downstream',
  tool: 'tool',
  tokenFrom: 'entra',
  correlationId: 'correlation',
  exchangeMs: 1,
  downstreamMs: 1,
  durationMs: 1,
  status: 401,
  error: new GatewayError('insufficient_claims', {
    claims: '{}',
    scopes: ['scope'],
    log: { reason: 'a reason', remedy: 'a remedy' },
  }),
  callerGone: true,
  trace: { traceId: '1'.repeat(32), spanId: '1'.repeat(16) } as RequestTrace,
};

/** The members that the line of a request can have, as the log writes a line with all of them. */
export async function listRequestMembers(): Promise<string[]> {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) });
  const logRequest = createRequestLog(logger, { requests: 'all', audit: undefined, trustedProxies: undefined });
  await receiveRequest((req) => logRequest(req, RECORD));
  return Object.keys(JSON.parse(lines[0] ?? '{}') as object);
}

/** Receives one request that has everything that the line tells of its sender. */
async function receiveRequest(take: (req: IncomingMessage) => void): Promise<void> {
  const server = createServer((req, res) => {
    take(req);
    res.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const headers = { 'user-agent': 'agent', traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` };
  // A connection of its own, which nobody keeps.
  const [res] = (await once(get({ port, headers, agent: false }), 'response')) as [IncomingMessage];
  await once(res.resume(), 'end');
  await once(server.close(), 'close');
}
