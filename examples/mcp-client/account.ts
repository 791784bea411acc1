import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OAuthClientProvider, OAuthDiscoveryState, OAuthTokens } from '@modelcontextprotocol/client';
import { addClaims, watchClaims } from './claims.ts';

/** Shows the user a page of Entra. */
export type OpenBrowser = (url: string) => void;

/** Somebody's sign-in at a program of this machine; Entra's answers come to a port of it (loopback). */
export class Account implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadata;
  /** The way to the server; it sees the claims of challenges. */
  readonly fetch = watchClaims((claims) => {
    this.#claims = claims;
    // With a refresh token the SDK would ask for a token without them.
    this.#tokens = this.#tokens && { ...this.#tokens, refresh_token: undefined };
  });
  readonly #clientId: string;
  readonly #openBrowser: OpenBrowser;
  readonly #server: Server;
  #claims: string | undefined;
  #tokens: OAuthTokens | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  #verifier = '';
  #state = '';
  #callback: Promise<URLSearchParams> = Promise.resolve(new URLSearchParams());

  private constructor(clientId: string, openBrowser: OpenBrowser, server: Server) {
    this.#clientId = clientId;
    this.#openBrowser = openBrowser;
    this.#server = server;
    this.redirectUrl = `http://localhost:${(server.address() as AddressInfo).port}`;
    this.clientMetadata = { redirect_uris: [this.redirectUrl] };
  }

  /** @param clientId that of the program's registration at Entra */
  static async open(clientId: string, openBrowser: OpenBrowser): Promise<Account> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Account(clientId, openBrowser, server);
  }

  close(): void {
    this.#server.close();
  }

  /** What Entra sent back with the user, once they are back from the browser. */
  get callback(): Promise<URLSearchParams> {
    return this.#callback;
  }

  redirectToAuthorization(url: URL): void {
    this.#callback = new Promise((resolve) => {
      this.#server.removeAllListeners('request').on('request', (req, res) => {
        const query = new URL(req.url ?? '', this.redirectUrl).searchParams;
        res.setHeader('connection', 'close').end('You can close this window.');
        if (query.get('state') === this.#state) {
          resolve(query);
        }
      });
    });
    this.#openBrowser(addClaims(url, this.#claims).href);
  }

  state(): string {
    this.#state = randomUUID();
    return this.#state;
  }

  clientInformation(where?: { readonly issuer: string }): { client_id: string; issuer?: string } {
    return { client_id: this.#clientId, ...where };
  }

  /** A real program keeps them in the key store of the system. */
  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }

  /** Where the sign-in began, so that the code goes nowhere else. */
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#discovery = discovery;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
}
