import { EntraError } from './entra-error.ts';
import type { App, RedirectUri } from './world-model.ts';

/** The hosts whose port does not count. The IPv6 loopback address is none of them: Entra does not support it. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1']);

/**
 * Finds the redirect URI that an app registered, so that answers may go there. It has to be the same to the letter; of
 * loopback addresses alone the port does not count, because native programs take any that is free.
 *
 * @throws {EntraError} 50011
 * @see https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 */
export function demandRedirectUri({ redirectUris }: App, asked: string): RedirectUri {
  const registered =
    redirectUris.find(({ uri }) => uri === asked) ??
    redirectUris.find(({ uri, kind }) => kind !== 'spa' && isSameLoopback(uri, asked));
  if (!registered) {
    throw new EntraError(50011);
  }
  return { uri: asked, kind: registered.kind };
}

function isSameLoopback(uri: string, asked: string): boolean {
  const address = withoutPort(uri);
  return address !== undefined && address === withoutPort(asked);
}

/** A loopback address without its port; `undefined` for any other. */
function withoutPort(uri: string): string | undefined {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || !LOOPBACK_HOSTS.has(url.hostname)) {
    return undefined;
  }
  url.port = '';
  return url.href;
}
