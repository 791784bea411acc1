import { ConfidentialClientApplication, InteractionRequiredAuthError } from '@azure/msal-node';
import { readClaims } from '../../examples/recover/next-step.ts';
import type { Emulator } from '../emulator/emulator.ts';
import { describeAuthority } from '../emulator/msal-authority.ts';
import { MAILBOX_APP_ID, MAILBOX_CLIENT_SECRET } from '../emulator/world.ts';

/** What came of a question to Graph. */
export interface GraphAnswer {
  /** For the user. */
  readonly text: string;
  readonly isError: boolean;
  /** What the user has to prove first, as a claims request. */
  readonly claims?: string;
}

/** Who asks Graph. */
export interface GraphCaller {
  /** The token that the gateway sent. */
  readonly token: string;
  readonly tenantId: string;
  /** The `x-request-id` of the gateway. */
  readonly requestId: string | undefined;
}

/** Asks Graph for a path on behalf of the user. */
export type AskGraph = (path: string, caller: GraphCaller) => Promise<GraphAnswer>;

/** How Graph and Entra know these requests from those of the gateway. */
export const MAILBOX_USER_AGENT = 'contoso-mailbox';

const SCOPES = ['https://graph.microsoft.com/User.Read', 'https://graph.microsoft.com/Mail.Read'];

/**
 * Makes a function that exchanges the user's token for one of Graph, by MSAL, and asks Graph.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */
export function graphOnBehalfOf({ origin }: Pick<Emulator, 'origin'>, graphOrigin: string): AskGraph {
  return async (path, { token, tenantId, requestId }) => {
    let graphToken: string;
    try {
      graphToken = await exchange(origin, { token, tenantId, requestId });
    } catch (error) {
      return describeRefusal(error);
    }
    const headers = {
      authorization: `Bearer ${graphToken}`,
      'user-agent': MAILBOX_USER_AGENT,
      ...(requestId !== undefined && { 'x-request-id': requestId }),
    };
    const response = await fetch(`${graphOrigin}${path}`, { headers });
    const claims = readClaims(response.headers.get('www-authenticate'));
    return { text: await response.text(), isError: !response.ok, ...(claims !== undefined && { claims }) };
  };
}

/** With an MSAL of its own, so that a change of the demo's switches counts at once. */
async function exchange(origin: string, { token, tenantId, requestId }: GraphCaller): Promise<string> {
  const msal = new ConfidentialClientApplication({
    auth: {
      ...describeAuthority(origin, tenantId),
      clientId: MAILBOX_APP_ID,
      clientSecret: MAILBOX_CLIENT_SECRET,
      clientCapabilities: ['cp1'],
    },
  });
  const result = await msal.acquireTokenOnBehalfOf({
    oboAssertion: token,
    scopes: SCOPES,
    ...(requestId !== undefined && { correlationId: requestId }),
  });
  return result?.accessToken ?? '';
}

function describeRefusal(error: unknown): GraphAnswer {
  const claims = error instanceof InteractionRequiredAuthError && error.claims !== '' ? error.claims : undefined;
  return {
    text: 'Entra gives the mailbox no token for Graph.',
    isError: true,
    ...(claims !== undefined && { claims }),
  };
}
