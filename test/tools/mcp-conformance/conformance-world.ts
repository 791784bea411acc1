import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { findFreePort } from '../../../dev/ports.ts';
import { scope } from '../../support/gateway-contract.ts';
import { startGatewayWorld, type MemoryLog } from '../../support/gateway-world.ts';
import { startEverythingServer } from './everything-server.ts';

/** The same server, and the ways to it. */
export interface ConformanceWorld {
  readonly addresses: {
    /** Without the gateway. */
    readonly direct: string;
    /** Through the gateway, which takes every caller. */
    readonly open: string;
    /** Through the gateway, which takes a user's token, exchanges it, and has rules for a tool. */
    readonly guarded: string;
  };
  /** What the gateway wrote about the requests. */
  readonly log: MemoryLog;
  close(): Promise<void>;
}

/** Starts it. Both ways through the gateway begin at one address, which is the gateway's public one. */
export async function startWorld(): Promise<ConformanceWorld> {
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await startEverythingServer();
  const world = await startGatewayWorld({
    server: { publicUrl: origin },
    downstreams: { everything: { baseUrl: server.origin, scopes: ['api://orders/.default'] } },
    contract: [{ document: describeServers() }],
  });
  const token = world.token('adele');
  const hop = createServer((req, res) => void passOn(req, res, world.url, token));
  await new Promise<void>((resolve) => {
    hop.listen(port, '127.0.0.1', resolve);
  });
  return {
    addresses: { direct: `${server.origin}/mcp`, open: `${origin}/mcp`, guarded: `${origin}/guarded` },
    log: world.log,
    async close() {
      hop.closeAllConnections();
      hop.close();
      await world.close();
      await server.close();
    },
  };
}

function describeServers(): object {
  const guard = { user: [scope('Orders.Read')] };
  return {
    openapi: '3.1.0',
    info: { title: 'Conformance', version: '1' },
    paths: {
      '/mcp': { 'x-mcp-server': { service: 'everything', security: [] } },
      '/guarded': {
        'x-mcp-server': {
          service: 'everything',
          path: '/mcp',
          security: [guard],
          tools: { delete_file: { security: [guard], 'x-auth-context': 'c1' } },
        },
      },
    },
  };
}

/** Adds the token that the suite has no option for, and changes nothing else. */
async function passOn(req: IncomingMessage, res: ServerResponse, to: string, token: string): Promise<void> {
  const headers = [...req.rawHeaders, 'authorization', `Bearer ${token}`];
  const out = request(`${to}${req.url}`, { method: req.method, headers });
  res.on('close', () => out.destroy());
  out.on('error', () => res.destroy());
  out.on('response', (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    void pipeline(answer, res).catch(() => undefined);
  });
  await pipeline(req, out).catch(() => undefined);
}
