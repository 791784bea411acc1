import * as v2 from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { text as textOf } from 'node:stream/consumers';
import { addClaims, watchClaims } from '../../examples/mcp-client/claims.ts';
import type { Answer } from '../support/gateway-downstream.ts';
import { CLIENT_ID, REDIRECT_URI } from './facade/facade-world.ts';

/** A small MCP server: its tools answer with the name by which they were called. */
export const answerMessages: Answer = async (req, res) => {
  const text = await textOf(req);
  const message = req.method === 'POST' ? (JSON.parse(text) as Message) : undefined;
  const result = message && answerMessage(message);
  if (result === undefined) {
    res.writeHead(message === undefined ? 405 : 202).end();
    return;
  }
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: message?.id, result }));
};

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly protocolVersion?: string };
}

function answerMessage({ method, params }: Message): object | undefined {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'files', version: '1' },
      };
    case 'tools/list':
      return { tools: ['read_file', 'delete_file'].map((name) => ({ name, inputSchema: { type: 'object' } })) };
    case 'tools/call':
      return { content: [{ type: 'text', text: params?.name }] };
    default:
      return undefined;
  }
}

/** A program's tokens. */
interface Tokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string | undefined;
}

/** How somebody uses a program. */
interface PersonOptions {
  /** Default Megan. */
  readonly user?: string;
  /** That of the program's registration, the default; `null` for a program that has none yet. */
  readonly clientId?: string | null;
  /** Whether the program declares `cp1`, and whether it does what that promises; default neither. */
  readonly claims?: 'declared' | 'read';
}

/** What a program remembers of its sign-in, and the person at its browser. */
export class Person {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata = { redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'] };
  /** The authorization requests of the program. */
  readonly visits: URL[] = [];
  code = '';
  /** The newest answer of the token endpoint. */
  saved: Tokens | undefined;
  readonly #user: string;
  readonly #claims: PersonOptions['claims'];
  #wanted: string | undefined;
  #verifier = '';
  #discovered: unknown;
  #clientId: string | null;

  constructor({ user = 'megan', clientId = CLIENT_ID, claims }: PersonOptions = {}) {
    this.#user = user;
    this.#clientId = clientId;
    this.#claims = claims;
  }

  /** The program's way to its server. */
  get fetch(): typeof fetch {
    return this.#claims === 'read' ? watchClaims((claims) => this.#want(claims)) : fetch;
  }

  /** Makes the token one that is good no more. */
  expire(): void {
    this.saved = this.saved && { ...this.saved, access_token: `${this.saved.access_token.slice(0, -8)}AAAAAAAA` };
  }

  /** The newer line of the SDK tells at which authorization server, and wants it repeated. */
  clientInformation(where?: { readonly issuer: string }): { client_id: string; issuer?: string } | undefined {
    return this.#clientId === null ? undefined : { client_id: this.#clientId, ...where };
  }

  saveClientInformation({ client_id: clientId }: { client_id: string }): void {
    this.#clientId = clientId;
  }

  tokens(): Tokens | undefined {
    return this.saved;
  }

  saveTokens(tokens: Tokens): void {
    this.saved = tokens;
  }

  saveDiscoveryState(state: unknown): void {
    this.#discovered = state;
  }

  discoveryState(): undefined {
    return this.#discovered as undefined;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  /** Opens the address in the browser, follows the façade where it is one, and fills in what Entra asks. */
  async redirectToAuthorization(url: URL): Promise<void> {
    this.visits.push(url);
    const address = this.#claims === undefined ? url : addClaims(url, this.#wanted);
    const answer = await fetch(address, { redirect: 'manual' });
    const back = await fetch(answer.headers.get('location') ?? address, {
      method: 'POST',
      body: new URLSearchParams({ user: this.#user, mfa: 'approved', consent: 'granted' }),
      redirect: 'manual',
    });
    this.code = new URL(back.headers.get('location') ?? 'about:blank').searchParams.get('code') ?? '';
  }

  /** The SDK would renew the token, which brings no claims. */
  #want(claims: string): void {
    this.#wanted = claims;
    this.saved = this.saved && { ...this.saved, refresh_token: undefined };
  }
}

/** What the two lines of the SDK have in common. */
const SDKS = {
  v1: { Client, Transport: StreamableHTTPClientTransport, UnauthorizedError },
  v2: { Client: v2.Client, Transport: v2.StreamableHTTPClientTransport, UnauthorizedError: v2.UnauthorizedError },
} as const;

/** A line of the official SDK. */
export type SdkVersion = keyof typeof SDKS;

/** A program that is connected to the server. */
export interface Program {
  readonly listTools: () => Promise<string[]>;
  /** Calls a tool, and once more after a sign-in if it needs one; the answer is what the tool said. */
  readonly callTool: (name: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Connects as the guides of the SDKs say: a sign-in interrupts what was tried, and then it is tried again. */
export async function connect(version: SdkVersion, resource: string, person: Person): Promise<Program> {
  const sdk = SDKS[version];
  const make = () => ({
    client: new sdk.Client({ name: 'test', version: '1' }),
    transport: new sdk.Transport(new URL(resource), { authProvider: person, fetch: person.fetch }),
  });
  let { client, transport } = make();
  const open = async (): Promise<void> => {
    await client.connect(transport);
  };
  await open().catch(async (error: unknown) => {
    await finish(error);
    ({ client, transport } = make());
    await open();
  });
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async callTool(name) {
      const call = (): Promise<unknown> => client.callTool({ name, arguments: {} });
      const result = await call().catch(async (error: unknown) => {
        await finish(error);
        return call();
      });
      return (result as { content: { text: string }[] }).content[0]?.text ?? '';
    },
    close: () => client.close(),
  };

  async function finish(error: unknown): Promise<void> {
    if (!(error instanceof sdk.UnauthorizedError)) {
      throw error;
    }
    await transport.finishAuth(person.code);
  }
}
