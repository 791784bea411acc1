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
 * @param publicUrl https makes browsers insist on it (Strict-Transport-Security); `undefined` where nobody says it
 */
export function createSecurityHeaders(publicUrl: URL | undefined): SecurityHeaders {
  const strictTransportSecurity = publicUrl?.protocol === 'https:';
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

/** The security headers of the documentation page: names and values in turn. */
export interface PageHeaders {
  /** For the page and what it loads. */
  readonly page: readonly string[];
  /** For the page that a popup comes to after the sign-in: one that was cut off from its opener could tell it nothing. */
  readonly popup: readonly string[];
}

/**
 * A page that shows documents which others wrote is given its own scripts and styles, its own origin and the one where
 * people sign in, and nothing else: whatever stands in a document, nothing of it runs, and a token goes nowhere else.
 *
 * @param publicUrl https makes browsers insist on it (Strict-Transport-Security)
 * @param signInOrigin where tokens are fetched
 */
export function createPageHeaders(publicUrl: URL, signInOrigin: string): PageHeaders {
  const both = {
    ...NOTHING,
    strictTransportSecurity: publicUrl.protocol === 'https:',
    xContentTypeOptions: true,
    referrerPolicy: true,
    crossOriginResourcePolicy: { policy: 'same-origin' },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // Swagger UI draws its arrows and locks from data: addresses in its style sheet.
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'", signInOrigin],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
  } as const;
  return {
    page: collect({ ...both, crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' } }),
    popup: collect(both),
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
