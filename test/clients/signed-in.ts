import { PublicClientApplication } from '@azure/msal-node';
import { Browser, type Persona } from '../../dev/tour/browser.ts';
import { describeDesktop, SCOPES } from '../../dev/tour/sign-in-client.ts';
import type { DemoWorld } from '../../dev/world.ts';
import type { Session } from '../../examples/recover/msal-node.ts';

/** Someone who signed in with MSAL Node. */
export interface SignedIn extends Session {
  /** How often a sign-in page was opened since. */
  pagesOpened(): number;
}

/** Signs a person in at the emulator; the browser answers its pages as the person would. */
export async function signIn({ emulator }: DemoWorld, persona: Persona): Promise<SignedIn> {
  const msal = new PublicClientApplication({ auth: describeDesktop(emulator.origin) });
  const browser = new Browser(emulator.origin);
  let pages = -1;
  const openBrowser = async (url: string): Promise<void> => {
    pages += 1;
    await browser.visit(url, persona);
  };
  const { account } = await msal.acquireTokenInteractive({ scopes: SCOPES, openBrowser });
  if (!account) {
    throw new Error('MSAL returned no account.');
  }
  return { msal, account, scopes: SCOPES, openBrowser, pagesOpened: () => pages };
}

/** Megan can give a second factor; a policy on Graph wants one. */
export const MEGAN: Persona = { user: 'megan', mfa: 'approved', consent: 'granted' };

/** No policy is about Adele. */
export const ADELE: Persona = { user: 'adele', consent: 'granted' };
