import { HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import {
  answerWith,
  startDownstream,
  type Answer,
  type ReceivedRequest,
  type ScriptedDownstream,
} from '../support/gateway-downstream.ts';
import { startGatewayWorld, type GatewayWorld, type GatewayWorldOptions } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

/** A page that may use native authentication. */
export const ORIGIN = 'https://shop.contoso.com';
/** Its app. */
export const CLIENT_ID = '8f1d7c2a-4b6e-4d39-9a05-e2c7b1f0d364';
/** Where a sign-in begins. */
export const INITIATE = '/native-auth/oauth2/v2.0/initiate';
/** Where tokens come from. */
export const TOKEN = '/native-auth/oauth2/v2.0/token';

/** A form as MSAL writes it. */
export function form(parameters: Record<string, string>): string {
  return new URLSearchParams({ client_id: CLIENT_ID, ...parameters }).toString();
}

/** What Entra answers when nothing else is asked for; the spaces show whether it was written anew. */
export const ENTRA_JSON = '{ "continuation_token": "AQABAA…" }\n';

/** Entra's usual answer. */
const answerUsually: Answer = answerWith(
  200,
  ['content-type', 'application/json; charset=utf-8', 'x-ms-request-id', 'b0f0c9a4-0000-4000-8000-000000000001'],
  ENTRA_JSON,
);

/** A gateway with native authentication before an Entra whose answers are scripted. */
export interface NativeAuthWorld extends GatewayWorld {
  readonly entra: ScriptedDownstream;
  /** What the proxy sent to Entra. */
  asked(): ReceivedRequest[];
  /** Forgets what was asked, and answers as usual from now on. */
  reset(): void;
  /** Posts a form as a page of the shop does, where nothing else is said. */
  post(path: string, body: string | Buffer, init?: PostInit): Promise<RawResponse>;
}

/** What differs from the usual post. */
interface PostInit {
  readonly method?: string;
  /** The header lines besides Host and Content-Length. */
  readonly lines?: readonly string[];
}

/** The header lines of a page of the shop. */
export const PAGE_LINES = [`Origin: ${ORIGIN}`, 'Content-Type: application/x-www-form-urlencoded'] as const;

/** Starts a world of its own for a test file. */
export async function startNativeAuthWorld(options: GatewayWorldOptions = {}): Promise<NativeAuthWorld> {
  const entra = await startDownstream();
  entra.answer = answerUsually;
  const world = await startGatewayWorld({
    ...options,
    identity: { authority: `http://127.0.0.1:${entra.port}` },
    nativeAuth: { origins: [ORIGIN], clients: [CLIENT_ID], rateLimit: { requests: 10_000 }, ...options.nativeAuth },
    // This Entra has no keys, so the gateway will not be ready; native authentication needs none.
    beforeStart: () => undefined,
  });
  return {
    ...world,
    entra,
    asked: () => entra.requests.filter(({ method }) => method === 'POST'),
    reset() {
      entra.requests.length = 0;
      entra.answer = answerUsually;
    },
    post: (path, body, { method = 'POST', lines = PAGE_LINES } = {}) =>
      rawRequest(
        world.port,
        [`${method} ${path} HTTP/1.1`, 'Host: api', ...lines, `Content-Length: ${Buffer.byteLength(body)}`],
        body,
      ),
    async close() {
      await world.close();
      await entra.close();
    },
  };
}

/** The address of an endpoint at Entra, without host. */
export function atEntra(endpoint: string): string {
  return `/${HOME_TENANT_ID}${endpoint}`;
}

/** The `code` of a problem document; the whole answer where it is none. */
export function codeOf({ header, body, status }: RawResponse): string {
  return header('content-type') === 'application/problem+json'
    ? String((JSON.parse(body) as { code: unknown }).code)
    : `${status} ${body}`;
}
