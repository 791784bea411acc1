import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type AuthInfo, type CallToolResult } from '@modelcontextprotocol/server';
import express, { type Express, type Request, type Response } from 'express';
import { MAILBOX_APP_ID } from '../emulator/world.ts';
import { startDemoApi, type DemoApi, type DemoApiOptions } from './demo-api.ts';
import { graphOnBehalfOf, type AskGraph, type GraphAnswer } from './graph-on-behalf-of.ts';
import { verifierFor, type VerifyBearer } from './verify-bearer.ts';

/** What a tool does, for people and models, and what it asks Graph for. */
interface Tool {
  readonly description: string;
  /** Path and query at Graph. */
  readonly path: string;
}

/** The contract (dev/mailbox.yaml) wants an authentication context for the last. */
const TOOLS: Readonly<Record<string, Tool>> = {
  who_am_i: { description: 'Tells who is signed in.', path: '/v1.0/me' },
  list_messages: { description: 'Lists the newest messages.', path: '/v1.0/me/messages?$top=3' },
  export_mailbox: { description: 'Copies the whole mailbox.', path: '/v1.0/me/messages?$top=100' },
};

/** How to start the mailbox. */
export interface MailboxOptions extends DemoApiOptions {
  /** The address of the demo Graph. */
  readonly graphOrigin: string;
}

/**
 * Starts an MCP server of the official SDK, at `/mcp`. Its tools ask Graph on behalf of the user, so the token that the
 * gateway got by one exchange becomes another by a second one. What Entra or Graph demand of the user is its own 401, with
 * the claims: the gateway takes them back to the client.
 */
export function startMailbox({ emulator, graphOrigin, ...listen }: MailboxOptions): Promise<DemoApi> {
  const verify = verifierFor(emulator, ['api://mailbox', MAILBOX_APP_ID]);
  return startDemoApi(listen, (app) => {
    addRoutes(app, verify, graphOnBehalfOf(emulator, graphOrigin));
  });
}

function addRoutes(app: Express, verify: VerifyBearer, askGraph: AskGraph): void {
  const answer = toNodeHandler(createMcpHandler(({ authInfo }) => createMailbox(answerOf(authInfo))));
  app.use('/mcp', express.json(), (req, res, next) => {
    prepare(req, res, verify, askGraph)
      .then((auth) => auth && answer(Object.assign(req, { auth }), res, req.body))
      .catch(next);
  });
}

/**
 * Checks the token, and asks Graph for what the tool needs before the SDK begins to answer: its answer is a stream, and a
 * stream cannot become a 401 any more.
 *
 * @returns `undefined` where it is refused
 */
async function prepare(
  req: Request,
  res: Response,
  verify: VerifyBearer,
  askGraph: AskGraph,
): Promise<AuthInfo | undefined> {
  const claims = await verify(req.get('authorization'));
  if (claims === undefined) {
    res.status(401).set('WWW-Authenticate', 'Bearer realm="mailbox"').end();
    return undefined;
  }
  const token = req.get('authorization')?.replace(/^Bearer /i, '') ?? '';
  const tool = findTool(req.body);
  const answer =
    tool && (await askGraph(tool.path, { token, tenantId: claims.tid, requestId: req.get('x-request-id') }));
  if (answer?.claims !== undefined) {
    const encoded = Buffer.from(answer.claims).toString('base64');
    res.status(401).set('WWW-Authenticate', `Bearer realm="", error="insufficient_claims", claims="${encoded}"`).end();
    return undefined;
  }
  return { token, clientId: String(claims['azp']), scopes: claims.scp?.split(' ') ?? [], extra: { answer } };
}

function findTool(message: unknown): Tool | undefined {
  const { method, params } = (message ?? {}) as { method?: unknown; params?: { name?: unknown } };
  const name = params?.name;
  return method === 'tools/call' && typeof name === 'string' && Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
}

function answerOf(auth: AuthInfo | undefined): GraphAnswer | undefined {
  return auth?.extra?.['answer'] as GraphAnswer | undefined;
}

/** A server for one request; of its tools only the one that is called has an answer. */
function createMailbox(answer: GraphAnswer | undefined): McpServer {
  const server = new McpServer({ name: 'mailbox', title: 'Contoso mailbox', version: '1.0.0' });
  for (const [name, { description }] of Object.entries(TOOLS)) {
    server.registerTool(name, { description, annotations: { readOnlyHint: true } }, (): CallToolResult => {
      const { text = '', isError = false } = answer ?? {};
      return { content: [{ type: 'text', text }], isError };
    });
  }
  return server;
}
