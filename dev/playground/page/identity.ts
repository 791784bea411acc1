import {
  AuthError,
  createStandardPublicClientApplication,
  EventType,
  InteractionRequiredAuthError,
  type AccountInfo,
  type AuthenticationResult,
  type IPublicClientApplication,
} from '@azure/msal-browser';
import { describeAuthority } from '../../emulator/msal-authority.ts';
import type { PlaygroundSettings } from '../playground-settings.ts';
import { failWhenClosed } from './popup.ts';

/** Milliseconds for which a person may look at a sign-in page. */
const POPUP_TIMEOUT_MS = 10 * 60_000;

/** Somebody who is signed in, and the access token for the gateway that they have now. */
export interface Session {
  readonly name: string;
  readonly userPrincipalName: string;
  readonly accessToken: string;
}

/** What a token must be. */
export interface TokenDemand {
  readonly scopes: readonly string[];
  /** Claims request as JSON text. */
  readonly claims?: string | undefined;
  /** Past MSAL's cache. */
  readonly isFresh?: boolean;
  /** Whether the person is asked: where Entra wants that (by default), never, or without a silent try. */
  readonly person?: 'if needed' | 'never' | 'at once';
}

/** Called with the `client-request-id` of each request to Entra that a person caused, before it is made. */
type RequestListener = (correlationId: string) => void;

/** The person at the browser, by way of MSAL. */
export class Identity {
  readonly #msal: IPublicClientApplication;
  readonly #onRequest: RequestListener;
  #popup: Window | undefined;

  private constructor(msal: IPublicClientApplication, onRequest: RequestListener) {
    this.#msal = msal;
    this.#onRequest = onRequest;
    const [account] = msal.getAllAccounts();
    if (account && !msal.getActiveAccount()) {
      msal.setActiveAccount(account);
    }
    msal.addEventCallback(
      ({ payload }) => {
        if (payload && 'popupWindow' in payload) {
          this.#popup = payload.popupWindow;
        }
      },
      [EventType.POPUP_OPENED],
    );
  }

  /** Makes the client; who was signed in before the page was loaded still is. */
  static async create(settings: PlaygroundSettings, onRequest: RequestListener): Promise<Identity> {
    const msal = await createStandardPublicClientApplication({
      auth: {
        ...describeAuthority(settings.entraOrigin, settings.tenantId),
        clientId: settings.clientId,
        clientCapabilities: ['cp1'],
        redirectUri: '/redirect.html',
        postLogoutRedirectUri: '/redirect.html',
      },
      cache: { cacheLocation: 'sessionStorage' },
      system: { popupBridgeTimeout: POPUP_TIMEOUT_MS },
    });
    return new Identity(msal, onRequest);
  }

  /** True when somebody is signed in. */
  get isSignedIn(): boolean {
    return this.#msal.getActiveAccount() !== null;
  }

  /**
   * Lets a person sign in anew in a popup, whatever the browser remembers.
   *
   * @param stop closes the popup
   * @throws {Error} why it came to nothing, for the person
   */
  async signIn(loginHint: string, scopes: readonly string[], stop: AbortSignal): Promise<Session> {
    const request = { scopes: [...scopes], loginHint, prompt: 'login', ...this.#begin() };
    return this.#adopt(await this.#inPopup(this.#msal.acquireTokenPopup(request), stop));
  }

  /**
   * Gets a token for the person who is signed in: without them where that is possible, otherwise in a popup.
   *
   * @param stop closes the popup
   * @throws {Error} why it came to nothing, for the person
   */
  async getToken(
    { scopes, claims, isFresh = false, person = 'if needed' }: TokenDemand,
    stop: AbortSignal,
  ): Promise<Session> {
    const account = this.#msal.getActiveAccount();
    if (!account) {
      throw new Error('Nobody is signed in.');
    }
    const demand = { scopes: [...scopes], account, ...(claims !== undefined && { claims }) };
    try {
      if (person !== 'at once') {
        return this.#adopt(
          await this.#msal.acquireTokenSilent({
            ...demand,
            forceRefresh: isFresh,
            // What happens behind the person's back is no part of a journey.
            correlationId: person === 'never' ? crypto.randomUUID() : this.#announce(),
          }),
        );
      }
    } catch (error) {
      if (person === 'never' || !needsPerson(error)) {
        throw toReadable(error);
      }
    }
    // Without claims a popup could end at once with the sign-in that the browser remembers, and prove nothing new.
    const prompt = claims === undefined && person === 'at once' ? { prompt: 'login' } : {};
    const request = { ...demand, ...prompt, ...this.#begin() };
    return this.#adopt(await this.#inPopup(this.#msal.acquireTokenPopup(request), stop));
  }

  /**
   * Ends the sign-in here and at Entra.
   *
   * @param stop closes the popup
   */
  async signOut(stop: AbortSignal): Promise<void> {
    const account = this.#msal.getActiveAccount();
    await this.#inPopup(this.#msal.logoutPopup({ account, correlationId: this.#announce() }), stop);
    this.#msal.setActiveAccount(null);
  }

  #announce(): string {
    const correlationId = crypto.randomUUID();
    this.#onRequest(correlationId);
    return correlationId;
  }

  /** A person who left an earlier popup open, or closed it, may begin again. */
  #begin(): { correlationId: string; overrideInteractionInProgress: true } {
    return { correlationId: this.#announce(), overrideInteractionInProgress: true };
  }

  #adopt({ account, accessToken }: AuthenticationResult & { account: AccountInfo | null }): Session {
    if (account) {
      this.#msal.setActiveAccount(account);
    }
    return { name: account?.name ?? '', userPrincipalName: account?.username ?? '', accessToken };
  }

  async #inPopup<Result>(result: Promise<Result>, stop: AbortSignal): Promise<Result> {
    const over = new AbortController();
    stop.addEventListener('abort', () => this.#popup?.close(), { signal: over.signal });
    try {
      return await Promise.race([result, this.#watchPopup(over.signal, stop)]);
    } catch (error) {
      throw toReadable(error);
    } finally {
      over.abort();
    }
  }

  async #watchPopup(over: AbortSignal, stop: AbortSignal): Promise<never> {
    this.#popup = undefined;
    const popup = await this.#waitForPopup(over);
    if (popup === undefined) {
      return new Promise(() => undefined);
    }
    if (stop.aborted) {
      popup.close();
    }
    return failWhenClosed(popup, over);
  }

  /** MSAL opens its popup a moment after the call. */
  async #waitForPopup(over: AbortSignal): Promise<Window | undefined> {
    while (this.#popup === undefined && !over.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this.#popup;
  }
}

/** MSAL knows most refusals that a person can resolve as such; an ended session can come as a bare `invalid_grant`. */
function needsPerson(error: unknown): boolean {
  const isEnded = error instanceof AuthError && error.errorCode === 'invalid_grant';
  return isEnded || error instanceof InteractionRequiredAuthError;
}

/** What MSAL throws is for developers; this is for whoever sits before the page. */
function toReadable(error: unknown): Error {
  if (!(error instanceof AuthError)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  if (error.errorCode === 'popup_window_error') {
    return new Error('The browser did not open the window of Entra; allow popups for this page and try again.');
  }
  if (error.errorCode === 'interaction_in_progress_cancelled') {
    return new Error('Another sign-in took its place.');
  }
  const [reason = ''] = error.errorMessage.split(' Trace ID:');
  return new Error(`Entra gave no token: ${reason === '' ? error.errorCode : reason}`);
}
