import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer, whatever was asked. */
export interface FixedAnswer {
  /** 0 breaks the connection. */
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

/** A server that gives every request the same answer. */
export interface HostileGateway {
  readonly url: string;
  /** The methods and paths that were asked for. */
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

/** Starts one; the answer may depend on the access token. */
export async function startHostileGateway(
  answerTo: (token: string | undefined, path: string, method: string) => FixedAnswer,
): Promise<HostileGateway> {
  const requests: string[] = [];
  const server = createServer((req, res) => {
    const token = req.headers.authorization?.replace('Bearer ', '');
    const path = (req.url ?? '').split('?', 1)[0] ?? '';
    const { status, headers, body } = answerTo(token, path, req.method ?? '');
    requests.push(`${req.method} ${req.url}`);
    req.resume();
    if (status === 0) {
      res.destroy();
      return;
    }
    const present = Object.entries(headers).filter(([, value]) => value !== undefined);
    res.writeHead(status, Object.fromEntries(present)).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

const FRAME =
  'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/v2.0/authorize", client_id="c"';

/** A challenge in the right shape. */
export function challengeWith(parameters = ''): string {
  return `${FRAME}${parameters}, resource_metadata="https://api.contoso.com/.well-known/oauth-protected-resource"`;
}

/** What a good gateway says to a call without a token, with changes. */
export function missingToken(
  path: string,
  changes: { readonly headers?: OutgoingHttpHeaders; readonly problem?: object; readonly status?: number } = {},
): FixedAnswer {
  const problem = {
    type: 'urn:obo-gateway:problem:missing_token',
    title: 'An access token is required',
    status: 401,
    detail: 'Send one.',
    instance: path,
    code: 'missing_token',
    requestId: 'r1',
    ...changes.problem,
  };
  return {
    status: changes.status ?? 401,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request-id': 'r1',
      'www-authenticate': challengeWith(),
      ...changes.headers,
    },
    body: JSON.stringify(problem),
  };
}
