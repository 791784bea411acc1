import type { ChallengeFrame } from '../challenge/www-authenticate.ts';
import { createSecurityHeaders, type SecurityHeaders } from '../http/security-headers.ts';
import { metadataPath } from '../http/resource-metadata.ts';
import type { Core } from './core.ts';

/** What depends on the address by which callers reach the gateway. */
export interface Site {
  /** The address itself, as gateway.yaml writes it. */
  readonly resource: string;
  readonly publicUrl: URL;
  readonly frame: ChallengeFrame;
  readonly security: SecurityHeaders;
}

/**
 * Describes the place of a gateway.
 *
 * @param resource how clients reach it, without a slash at the end
 */
export function describeSite(resource: string, { keys, authority, clientId }: Core): Site {
  const publicUrl = new URL(resource);
  return {
    resource,
    publicUrl,
    frame: {
      // Read for each challenge, because the metadata of Entra may arrive after the first requests.
      get authorizationUri() {
        return authority.challengeUri(keys.issuerOf('v2', authority.tenant));
      },
      clientId,
      resourceMetadata: `${publicUrl.origin}${metadataPath(publicUrl)}`,
    },
    security: createSecurityHeaders(publicUrl),
  };
}
