import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** The security headers of answers: names and values in turn. */
export interface SecurityHeaders {
  /** For the gateway's own answers, which are never pages. */
  readonly own: readonly string[];
  /**
   * For the answers of downstreams: only what holds for the whole address, so that their own headers stay as they are.
   */
  readonly proxied: readonly string[];
}

/**
 * Collects the headers of helmet once, because they are the same for every answer. Only those that matter to an API are
 * on: there are no pages, frames or scripts here.
 *
 * @param publicUrl https makes browsers insist on it (Strict-Transport-Security)
 */
export function createSecurityHeaders(publicUrl: URL): SecurityHeaders {
  const strictTransportSecurity = publicUrl.protocol === 'https:';
  return {
    own: collect({
      ...NOTHING,
      strictTransportSecurity,
      xContentTypeOptions: true,
      referrerPolicy: true,
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    }),
    proxied: collect({ ...NOTHING, strictTransportSecurity, xContentTypeOptions: true }),
  };
}

const NOTHING = {
  contentSecurityPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  strictTransportSecurity: false,
  xContentTypeOptions: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xPoweredBy: false,
  xXssProtection: false,
} as const;

function collect(options: Parameters<typeof helmet>[0]): string[] {
  const headers: string[] = [];
  const recorder = { setHeader: (name: string, value: string) => headers.push(name.toLowerCase(), value) };
  helmet(options)({} as IncomingMessage, recorder as unknown as ServerResponse, () => undefined);
  return headers;
}
