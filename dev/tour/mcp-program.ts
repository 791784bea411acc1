import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { Account } from '../../examples/mcp-client/account.ts';
import { MCP_CLIENT_ID } from '../emulator/world.ts';
import type { DemoWorld } from '../world.ts';
import { Browser, type Persona } from './browser.ts';
import type { Narrator } from './narrator.ts';

/** A program of the official SDK that is connected to the mailbox, and the person at its browser. */
export class McpProgram {
  readonly #account: Account;
  readonly #address: URL;
  readonly #narrator: Narrator;
  #client = newClient();
  #transport: StreamableHTTPClientTransport;
  #signIns = 0;

  private constructor(account: Account, address: URL, narrator: Narrator) {
    this.#account = account;
    this.#address = address;
    this.#narrator = narrator;
    this.#transport = this.#newTransport();
  }

  /** Connects, and lets the person sign in. */
  static async connect({ gatewayUrl, emulator }: DemoWorld, narrator: Narrator, persona: Persona): Promise<McpProgram> {
    const browser = new Browser(emulator.origin);
    const account = await Account.open(MCP_CLIENT_ID, (url) => void browser.visit(url, persona));
    // The metadata of the server has this name, and clients refuse those of another.
    const address = new URL(`http://localhost:${new URL(gatewayUrl).port}/mailbox/mcp`);
    const program = new McpProgram(account, address, narrator);
    await program.#withSignIn(() => program.#open());
    return program;
  }

  /** How often the person signed in. */
  get signIns(): number {
    return this.#signIns;
  }

  /** The names of the tools. */
  async listTools(): Promise<readonly string[]> {
    return (await this.#client.listTools()).tools.map(({ name }) => name);
  }

  /** Calls a tool, and once more after a sign-in if it takes one; the answer is its text. */
  async callTool(name: string): Promise<string> {
    const { content } = await this.#withSignIn(() => this.#client.callTool({ name, arguments: {} }));
    return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#client.close();
    this.#account.close();
  }

  async #open(): Promise<void> {
    this.#client = newClient();
    this.#transport = this.#newTransport();
    await this.#client.connect(this.#transport);
  }

  #newTransport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(this.#address, {
      authProvider: this.#account,
      fetch: (...request) => this.#fetch(...request),
    });
  }

  async #fetch(...request: Parameters<typeof fetch>): Promise<Response> {
    const [target, { method = 'GET' } = {}] = request;
    const { pathname } = new URL(target instanceof Request ? target.url : target);
    this.#narrator.hop('client', 'gateway', `${method} ${pathname}`);
    const response = await this.#account.fetch(...request);
    const error = /error="(\w+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1];
    this.#narrator.hop('gateway', 'client', [response.status, error].filter(Boolean).join('  '));
    return response;
  }

  async #withSignIn<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) {
        throw error;
      }
      this.#signIns += 1;
      await this.#transport.finishAuth(await this.#account.callback);
      return act();
    }
  }
}

function newClient(): Client {
  return new Client({ name: 'tour', version: '1.0.0' });
}
