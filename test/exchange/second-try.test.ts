import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { EntraHttpClient } from '../../src/entra/http-client.ts';
import { RecordingNetwork } from '../../src/exchange/recording-network.ts';

/** How a token endpoint treats one request; a number is a status. */
type Treatment = { readonly status: number; readonly retryAfter?: string; readonly body?: string } | 'reset' | 'hang';

interface Outcome {
  /** The status of the last answer. */
  readonly status: number | undefined;
  readonly requests: number;
}

/** Sends one request of MSAL's to a token endpoint that treats them in turn, the last for all that follow. */
async function post(treatments: readonly Treatment[], { mayTryAgain = true, deadline = 2_000 } = {}): Promise<Outcome> {
  let requests = 0;
  const server = createServer((req, res) => {
    const treatment = treatments[Math.min(requests, treatments.length - 1)] ?? 'hang';
    requests += 1;
    if (treatment === 'reset') {
      req.socket.resetAndDestroy();
    } else if (treatment !== 'hang') {
      const { status, retryAfter, body = '{}' } = treatment;
      res.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const http = new EntraHttpClient(deadline);
  const network = new RecordingNetwork(http, () => mayTryAgain);
  try {
    await network.sendPostRequestAsync(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`).catch(() => {});
    return { status: network.response?.status, requests };
  } finally {
    http.close();
    server.closeAllConnections();
    server.close();
  }
}

describe('a request to the token endpoint', () => {
  const good = { status: 200 };

  it.each([
    { what: 'breaks the connection', first: 'reset' as const },
    { what: 'answers 500', first: { status: 500 } },
    { what: 'answers 503 with a page', first: { status: 503, body: '<html>' } },
  ])('is sent once more when Entra $what', async ({ first }) => {
    expect(await post([first, good])).toEqual({ status: 200, requests: 2 });
  });

  it.each([
    { what: 'answers 400', first: { status: 400, body: '{"error":"temporarily_unavailable"}' } },
    { what: 'answers 401', first: { status: 401 } },
    { what: 'answers 429', first: { status: 429 } },
    { what: 'answers 503 with a time to wait', first: { status: 503, retryAfter: '1' } },
    { what: 'answers 200 with nonsense', first: { status: 200, body: 'nonsense' } },
  ])('is not sent again when Entra $what', async ({ first }) => {
    expect(await post([first, good])).toEqual({ status: first.status, requests: 1 });
  });

  it('is sent twice at most', async () => {
    expect([await post([{ status: 500 }]), await post(['reset'])]).toEqual([
      { status: 500, requests: 2 },
      { status: undefined, requests: 2 },
    ]);
  });

  it('is not sent again while Entra fails others, too', async () => {
    expect(await post([{ status: 500 }, good], { mayTryAgain: false })).toEqual({ status: 500, requests: 1 });
  });

  it.each([
    { what: 'there is no time left for it', treatments: [{ status: 500 }] as const, deadline: 40 },
    { what: 'Entra took too long', treatments: ['hang'] as const, deadline: 100 },
  ])('is not sent again when $what', async ({ treatments, deadline }) => {
    const { requests } = await post(treatments, { deadline });
    expect(requests).toBeLessThan(2);
  });

  it('has no answer when the second try gets none', async () => {
    expect(await post([{ status: 500 }, 'hang'], { deadline: 1_500 })).toEqual({ status: undefined, requests: 2 });
  });
});

it('MSAL gets the token alone, and nothing of which it would make an account', async () => {
  const answer = { access_token: 'a', token_type: 'Bearer', expires_in: '60', scope: 's' };
  const identity = { id_token: 'i', client_info: 'c', refresh_token: 'r' };
  const server = createServer((_req, res) => res.end(JSON.stringify({ ...answer, ...identity })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const http = new EntraHttpClient(2_000);
  const network = new RecordingNetwork(http);
  const { body } = await network.sendPostRequestAsync(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  http.close();
  server.close();
  expect([body, network.readLifetime().expiresIn]).toEqual([answer, 60]);
});
