/** Alias of the app registration that is missing in the `identity.allowedClients` of the gateway. */
const STRANGER = 'visitor';

/**
 * A token for a person as Entra issues it to an app that may not call the gateway. The person need not sign in there: the
 * emulator has a door for that.
 *
 * @throws {Error} when the emulator gives none, or the signal's reason
 */
export async function fetchTokenOfStranger(
  entraOrigin: string,
  userPrincipalName: string,
  signal: AbortSignal,
): Promise<string> {
  const query = new URLSearchParams({ user: userPrincipalName, client: STRANGER });
  const response = await fetch(`${entraOrigin}/_emulator/token?${query}`, { signal });
  if (!response.ok) {
    throw new Error(`The emulator of Entra answered ${response.status} in place of a token.`);
  }
  return (await response.text()).trim();
}
