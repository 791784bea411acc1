import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { localhostHostValidation, NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
  classifyInboundRequest,
  createMcpHandler,
  fromJsonSchema,
  McpServer,
  type CallToolResult,
  type EventStore,
  type InboundHttpRequest,
  type JSONRPCMessage,
  type McpHttpHandler,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { registerContentTools, say } from './content-tools.ts';
import { registerPrompts, registerResources } from './prompts-and-resources.ts';
import { progressCodec, registerQuestionTools } from './question-tools.ts';

/** A request of a server, which has a method and a target. */
type NodeRequest = IncomingMessage & { method: string; url: string };

/** A server of the official SDK that has what the conformance suite asks for, at any path, on loopback. */
export interface EverythingServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts one: revision 2026-07-28 without sessions, those before it with them. */
export async function startEverythingServer(): Promise<EverythingServer> {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  const modern = createMcpHandler(() => createMcpServer(modern, sessions), { legacy: 'reject' });
  const answerModern = toNodeHandler(modern);
  const isLocal = localhostHostValidation();
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = req.method === 'POST' ? await json(req).catch(() => undefined) : undefined;
    const { kind } = classifyInboundRequest(describe(req, body));
    await (kind === 'legacy' ? answerInSession(req, res, body) : answerModern(req as NodeRequest, res, body));
  };
  const answerInSession = async (req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> => {
    const id = textOf(req, 'mcp-session-id');
    const transport = id === undefined ? await openSession() : sessions.get(id);
    if (transport === undefined) {
      res.writeHead(404).end();
      return;
    }
    await transport.handleRequest(req, res, body);
  };
  const openSession = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 100,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await createMcpServer(modern, sessions).connect(transport);
    return transport;
  };
  const server = createServer((req, res) => {
    if (isLocal(req, res)) {
      answer(req, res).catch(() => res.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await modern.close();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** What tells the revisions apart. */
function describe(req: IncomingMessage, body: unknown): InboundHttpRequest {
  const version = textOf(req, 'mcp-protocol-version');
  const method = textOf(req, 'mcp-method');
  return {
    httpMethod: req.method ?? '',
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    body,
  };
}

function textOf({ headers }: IncomingMessage, name: string): string | undefined {
  return headers[name]?.toString();
}

function createMcpServer(
  { notify }: McpHttpHandler,
  sessions: ReadonlyMap<string, NodeStreamableHTTPServerTransport>,
): McpServer {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: (...sealed) => progressCodec.verify(...sealed) },
    },
  );
  const nothing = fromJsonSchema<object>({ type: 'object' });
  registerContentTools(server);
  registerQuestionTools(server);
  registerPrompts(server);
  registerResources(server);
  const register = (name: string, call: (context: ServerContext) => CallToolResult): void => {
    server.registerTool(name, { description: name, inputSchema: nothing }, (_args, context) => call(context));
  };
  register('test_reconnection', ({ sessionId, mcpReq }) => {
    sessions.get(sessionId ?? '')?.closeSSEStream(mcpReq.id);
    return say('The stream ended before this; whoever reads it has come back.');
  });
  register('test_trigger_tool_change', () => {
    notify.toolsChanged();
    return say('There may be other tools.');
  });
  register('test_trigger_prompt_change', () => {
    notify.promptsChanged();
    return say('There may be other prompts.');
  });
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  return server;
}

/** The messages of a session, for clients that come back after the end of a stream. */
class Events implements EventStore {
  readonly #events: { readonly stream: string; readonly message: JSONRPCMessage }[] = [];

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    return String(this.#events.push({ stream, message }));
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const seen = Number(last);
    const { stream = '' } = this.#events[seen - 1] ?? {};
    for (const [index, event] of this.#events.entries()) {
      if (index >= seen && event.stream === stream && 'jsonrpc' in event.message) {
        await send(String(index + 1), event.message);
      }
    }
    return stream;
  }
}
