import type { RequestHandler } from 'express';

/** Whom the pages of the playground talk to. */
export interface PageNeighbours {
  readonly gatewayUrl: string;
  readonly engineUrl: string;
  readonly entraOrigin: string;
}

/**
 * Where the answers of Entra come to. MSAL opens it in a frame of the page when it signs in silently, and in a popup
 * that was at Entra before, which a `Cross-Origin-Opener-Policy` of its own would cut off.
 */
const REDIRECT_PAGE = '/redirect.html';

/** Gives every answer the headers that confine a page to its own scripts and styles and to its neighbours. */
export function addPageHeaders(neighbours: PageNeighbours): RequestHandler {
  const connections = ["'self'", new URL(neighbours.gatewayUrl).origin, neighbours.engineUrl, neighbours.entraOrigin];
  const policyFor = (frameAncestors: string): string =>
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src ${connections.join(' ')}`,
      `frame-src 'self' ${neighbours.entraOrigin}`,
      "base-uri 'none'",
      "form-action 'none'",
      "object-src 'none'",
      `frame-ancestors ${frameAncestors}`,
    ].join('; ');
  return (req, res, next) => {
    const isRedirectPage = req.path === REDIRECT_PAGE;
    res.set({
      'Content-Security-Policy': policyFor(isRedirectPage ? "'self'" : "'none'"),
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-store',
      ...(isRedirectPage ? {} : { 'Cross-Origin-Opener-Policy': 'same-origin-allow-popups' }),
    });
    next();
  };
}
