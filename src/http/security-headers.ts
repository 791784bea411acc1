import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** The security headers of answers: names and values in turn. */
export interface SecurityHeaders {
  /** For what we write ourselves: it is never a page. */
  readonly own: readonly string[];
  /** For what a downstream wrote: only what holds for the whole address, so that its own headers stay its own. */
  readonly proxied: readonly string[];
}

/**
 * Asks helmet once what it would say and keeps the answer, because it says the same every time. Only what means
 * something for an API is left on: nothing here is for pages, frames or scripts.
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
