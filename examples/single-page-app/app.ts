import { createStandardPublicClientApplication, type BrowserAuthOptions } from '@azure/msal-browser';
import { callAndRecover, type TokenDemand } from '../recover/call-and-recover.ts';
import { acquireToken } from '../recover/msal-browser.ts';
import { findNextStep } from '../recover/next-step.ts';

/** What differs from one deployment to the next. */
interface Settings {
  readonly gatewayUrl: string;
  readonly scopes: string[];
  /** `clientId` and `authority`. */
  readonly auth: BrowserAuthOptions;
}

const { gatewayUrl, scopes, auth } = (await (await fetch('settings.json')).json()) as Settings;
const msal = await createStandardPublicClientApplication({
  auth: { ...auth, redirectUri: '/redirect.html', clientCapabilities: ['cp1'] },
});
onClick('sign-in', signIn);
onClick('profile', () => call('/me'));
onClick('orders', () => call('/orders'));

async function signIn(): Promise<void> {
  const { account } = await msal.loginPopup({ scopes });
  msal.setActiveAccount(account);
  show('status', `${account.name} is signed in.`);
}

async function call(path: string): Promise<void> {
  const account = msal.getActiveAccount();
  if (!account) {
    return show('status', 'Sign in first.');
  }
  const getToken = (demand: TokenDemand) => acquireToken({ msal, account, scopes }, demand);
  const response = await callAndRecover({ getToken, showConsent, wait }, gatewayUrl + path);
  const step = await findNextStep(response);
  show('status', `The API answered ${response.status}.`);
  show('answer', step.do === 'stop' ? step.why : await response.text());
}

/** Entra's page opens in a tab of its own; the person says when they are back. */
function showConsent(uri: string): Promise<void> {
  const dialog = find('consent', HTMLDialogElement);
  find('consent-page', HTMLAnchorElement).href = uri;
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(), { once: true }));
}

function wait(seconds: number): Promise<void> {
  show('status', `The API is busy; calling again in ${seconds} s.`);
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function onClick(id: string, act: () => Promise<void>): void {
  const button = find(id, HTMLButtonElement);
  button.addEventListener('click', () => {
    act().catch((error: unknown) => show('status', error instanceof Error ? error.message : String(error)));
  });
  button.disabled = false;
}

function show(id: string, text: string): void {
  find(id, HTMLElement).textContent = text;
}

function find<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) {
    return found;
  }
  throw new Error(`index.html has no #${id}.`);
}
