import type { IncomingHttpHeaders } from 'node:http';
import { listenOnLoopback } from '../../dev/loopback-server.ts';

/** How the endpoint answers; `reset` breaks the connection. */
export type MetadataAnswer = { readonly status: number; readonly body: unknown } | 'reset';

/** One request at the endpoint. */
export interface MetadataRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
}

/** The instance metadata endpoint of a virtual machine, on loopback. */
export interface InstanceMetadata {
  /** Every request, oldest first. */
  readonly requests: MetadataRequest[];
  /** What it answers to requests that have the header `Metadata: true`. */
  answer: MetadataAnswer;
  /** Stops it, and puts the environment back. */
  close(): Promise<void>;
}

const HOST = 'AZURE_POD_IDENTITY_AUTHORITY_HOST';

/** The answer that brings a token for an hour; as at Microsoft's endpoint, all members are texts. */
export function metadataToken(accessToken: string): MetadataAnswer {
  const now = Math.floor(Date.now() / 1_000);
  return {
    status: 200,
    body: {
      access_token: accessToken,
      refresh_token: '',
      expires_in: '3599',
      expires_on: String(now + 3_599),
      not_before: String(now),
      resource: 'api://AzureADTokenExchange',
      token_type: 'Bearer',
    },
  };
}

/**
 * Starts the endpoint and makes MSAL use it. MSAL looks for it once in a process, and keeps the tokens it got there: one
 * endpoint for a test file, and another client id for each case.
 */
export async function startInstanceMetadata(): Promise<InstanceMetadata> {
  const requests: MetadataRequest[] = [];
  const server = await listenOnLoopback({}, (origin) => (req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '', origin);
    requests.push({ path: pathname, query: Object.fromEntries(searchParams), headers: req.headers });
    const { answer } = metadata;
    if (answer === 'reset') {
      res.destroy();
      return;
    }
    const { status, body } = req.headers['metadata'] === 'true' ? answer : HEADER_MISSING;
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const before = process.env[HOST];
  process.env[HOST] = server.origin;
  const metadata: InstanceMetadata = {
    requests,
    answer: { status: 404, body: { error: 'not_found', error_description: 'Identity not found' } },
    async close() {
      if (before === undefined) {
        delete process.env[HOST];
      } else {
        process.env[HOST] = before;
      }
      await server.close();
    },
  };
  return metadata;
}

const HEADER_MISSING = {
  status: 400,
  body: { error: 'invalid_request', error_description: 'Required metadata header not specified' },
};
