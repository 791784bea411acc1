import { GatewayError } from '../failures.ts';
import { joinClaims } from '../syntax/join-claims.ts';

/** The scope that Entra refuses beside any other (AADSTS70011). */
const DEFAULT_SCOPE = /(?:^|\/)\.default$/;

/** True for a failure to which others of the same request can be joined. */
export function isJoinable({ code, facts }: GatewayError): boolean {
  return facts.claims !== undefined || code === 'consent_required';
}

/**
 * Joins the failures of the calls of one request into one, so that the user steps up once: claims with claims, consent
 * with consent.
 *
 * @param first what the handler threw; it stands where the others cannot be joined to it
 */
export function joinFailures(first: GatewayError, others: readonly GatewayError[]): GatewayError {
  if (!isJoinable(first)) {
    return first;
  }
  return others
    .filter((other) => other !== first && other.code === first.code && isJoinable(other))
    .reduce((joined, other) => join(joined, other) ?? joined, first);
}

function join(one: GatewayError, other: GatewayError): GatewayError | undefined {
  return one.facts.claims === undefined ? joinConsent(one, other) : joinChallenges(one, other);
}

function joinChallenges(one: GatewayError, other: GatewayError): GatewayError | undefined {
  const claims = joinClaims([one.facts.claims ?? '', other.facts.claims ?? '']);
  if (claims === undefined || claims === one.facts.claims) {
    return undefined;
  }
  const authContext = one.facts.authContext === true && other.facts.authContext === true;
  return new GatewayError(one.failure, { ...one.facts, claims, authContext });
}

function joinConsent(one: GatewayError, other: GatewayError): GatewayError | undefined {
  const scopes = union(one.facts.scopes, other.facts.scopes);
  if (scopes.length > 1 && scopes.some((scope) => DEFAULT_SCOPE.test(scope))) {
    return undefined;
  }
  const consentUri = joinConsentUris(one.facts.consentUri, other.facts.consentUri, scopes);
  return consentUri === undefined && one.facts.consentUri !== other.facts.consentUri
    ? undefined
    : new GatewayError(one.failure, { ...one.facts, scopes, ...(consentUri !== undefined && { consentUri }) });
}

/** One page asks for all scopes; `undefined` where the two are different pages, for a user and for an administrator. */
function joinConsentUris(one = '', other = '', scopes: readonly string[] = []): string | undefined {
  if (!URL.canParse(one) || !URL.canParse(other)) {
    return undefined;
  }
  const pages = [new URL(one), new URL(other)] as const;
  pages.forEach((page) => page.searchParams.set('scope', scopes.join(' ')));
  return pages[0].href === pages[1].href ? pages[0].href : undefined;
}

function union(one: readonly string[] = [], other: readonly string[] = []): readonly string[] {
  return [...new Set([...one, ...other])];
}
