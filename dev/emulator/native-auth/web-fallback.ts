/**
 * The answer to a client that cannot go on by itself and has to open a browser; it is one of success, with status 200.
 * @see https://learn.microsoft.com/entra/identity-platform/concept-native-authentication-web-fallback
 */
export interface WebFallback {
  readonly challenge_type: 'redirect';
  readonly redirect_reason: string;
}

/** Sends a client to the browser, for a reason that its developer can read. */
export function fallBackToBrowser(reason: string): WebFallback {
  return { challenge_type: 'redirect', redirect_reason: reason };
}

/** The answer to a client that did not declare all the challenge types that are needed. */
export function findFallback(declared: readonly string[], ...needed: readonly string[]): WebFallback | undefined {
  const missing = needed.find((type) => !declared.includes(type));
  return missing === undefined ? undefined : fallBackToBrowser(`Client is missing ${missing} challenge type`);
}
