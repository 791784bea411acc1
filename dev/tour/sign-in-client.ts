import {
  InteractionRequiredAuthError,
  PublicClientApplication,
  type AccountInfo,
  type AuthenticationResult,
} from '@azure/msal-node';
import type { Emulator } from '../emulator/emulator.ts';
import { describeAuthority, type MsalAuthority } from '../emulator/msal-authority.ts';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../emulator/world.ts';
import { Browser, type Persona } from './browser.ts';

/** Every delegated scope of the gateway. */
export const SCOPES = ['Profile.Read', 'Orders.Read', 'Orders.ReadWrite'].map(
  (scope) => `api://${GATEWAY_CLIENT_ID}/${scope}`,
);

/** What a silent request for a token came to. */
export type SilentOutcome = { readonly token: AuthenticationResult } | { readonly interactionRequired: string };

/** A desktop program's MSAL, with the browser and the person before it. */
export class SignInClient {
  readonly #msal: PublicClientApplication;
  readonly #browser: Browser;
  readonly #origin: string;

  /** Makes a client that signs in at the emulator and takes claims challenges. */
  constructor({ origin }: Emulator) {
    this.#origin = origin;
    this.#browser = new Browser(origin);
    this.#msal = new PublicClientApplication({ auth: describeDesktop(origin) });
  }

  /** Signs a person in with the authorization code flow and PKCE. */
  signIn(persona: Persona, claims?: string): Promise<AuthenticationResult> {
    return this.#msal.acquireTokenInteractive({
      scopes: SCOPES,
      openBrowser: async (url) => {
        await this.#browser.visit(url, persona);
      },
      ...(claims !== undefined && { claims }),
    });
  }

  /** Asks for a token without the person. */
  async renew(account: AccountInfo, claims: string): Promise<SilentOutcome> {
    try {
      return { token: await this.#msal.acquireTokenSilent({ account, scopes: SCOPES, claims }) };
    } catch (error) {
      if (!(error instanceof InteractionRequiredAuthError)) {
        throw error;
      }
      return { interactionRequired: `${error.errorCode}/${error.subError}` };
    }
  }

  /** Signs a person in with a code that they enter in another browser. */
  async signInByDeviceCode(persona: Persona): Promise<AuthenticationResult> {
    const elsewhere = new Browser(this.#origin);
    let visit: Promise<string> | undefined;
    const token = await this.#msal.acquireTokenByDeviceCode({
      scopes: SCOPES,
      deviceCodeCallback: ({ verificationUri, userCode }) => {
        visit = elsewhere.visit(verificationUri, { ...persona, user_code: userCode });
      },
    });
    await visit;
    if (!token) {
      throw new Error('MSAL returned nothing for the device code.');
    }
    return token;
  }
}

/** MSAL's settings for the desktop program at an emulator; claims challenges are welcome. */
export function describeDesktop(origin: string): MsalAuthority & { clientId: string; clientCapabilities: string[] } {
  return { ...describeAuthority(origin, HOME_TENANT_ID), clientId: DESKTOP_CLIENT_ID, clientCapabilities: ['cp1'] };
}
