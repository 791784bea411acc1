import {
  CustomAuthPublicClientApplication,
  MfaAwaitingState,
  MfaSubmitChallengeError,
  MfaVerificationRequiredState,
  SignInCodeRequiredState,
  SignInPasswordRequiredState,
  SignInSubmitCodeError,
  SignInSubmitPasswordError,
  type AuthFlowStateBase,
  type CustomAuthAccountData,
} from '@azure/msal-browser/custom-auth';
import { describeAuthority } from '../../../emulator/msal-authority.ts';
import type { PlaygroundSettings } from '../../playground-settings.ts';

/** How a sign-in goes on. */
export type Turn =
  /** The person types something; again, when what they typed was wrong. */
  | {
      readonly kind: 'ask';
      readonly ask: 'password' | 'code';
      readonly wrong: string | undefined;
      readonly submit: (answer: string) => Promise<Turn>;
    }
  /** Entra wants more than this page can ask for. */
  | { readonly kind: 'browser' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'signedIn'; readonly name: string; readonly accessToken: string };

/** What a page declares that it can ask people for. */
export type ChallengeType = 'password' | 'oob';

/** What a sign-in is for. */
export interface SignInDemand {
  readonly challengeTypes: readonly ChallengeType[];
  readonly username: string;
  readonly scopes: readonly string[];
  /** Claims request as JSON text. */
  readonly claims: string | undefined;
}

type Library = Awaited<ReturnType<typeof CustomAuthPublicClientApplication.create>>;

/** One sign-in of one person; the library keeps people apart by one client for each. */
export class NativeSignIn {
  readonly #library: Library;
  readonly #demand: SignInDemand;

  private constructor(library: Library, demand: SignInDemand) {
    this.#library = library;
    this.#demand = demand;
  }

  /**
   * Makes the client.
   *
   * @param onRequest called with the `x-request-id` of each request before it is made
   */
  static async create(
    settings: PlaygroundSettings,
    demand: SignInDemand,
    onRequest: (requestId: string) => void,
  ): Promise<NativeSignIn> {
    const { clientId, authApiProxyUrl } = settings.native;
    const library = await CustomAuthPublicClientApplication.create({
      auth: {
        ...describeAuthority(settings.entraOrigin, settings.tenantId),
        clientId,
        clientCapabilities: ['cp1'],
        redirectUri: '/redirect.html',
      },
      cache: { cacheLocation: 'memoryStorage' },
      customAuth: {
        authApiProxyUrl,
        challengeTypes: [...demand.challengeTypes],
        capabilities: ['mfa_required'],
        requestInterceptor: {
          addAdditionalHeaderFields: () => {
            const requestId = crypto.randomUUID();
            onRequest(requestId);
            return { 'x-request-id': requestId };
          },
        },
      },
    });
    return new NativeSignIn(library, demand);
  }

  /** Says who it is. */
  async start(): Promise<Turn> {
    const { username, scopes, claims } = this.#demand;
    const asked = claims === undefined ? {} : { claims };
    return this.#read(await this.#library.signIn({ username, scopes: [...scopes], ...asked }));
  }

  /**
   * Goes on in Entra's own window.
   * @throws {AuthError} why it came to nothing
   */
  async continueInBrowser(correlationId: string): Promise<Turn> {
    const { username, scopes, claims } = this.#demand;
    const { account, accessToken } = await this.#library.acquireTokenPopup({
      scopes: [...scopes],
      loginHint: username,
      correlationId,
      ...(claims !== undefined && { claims }),
    });
    return { kind: 'signedIn', name: account.name ?? username, accessToken };
  }

  /** Gets a fresh token without the person. */
  async renew(correlationId: string): Promise<Turn> {
    const { data } = this.#library.getCurrentAccount({ correlationId });
    return data ? this.#finish(data, true) : { kind: 'refused', why: 'Nobody is signed in.' };
  }

  async #read({ state, error, data }: Result): Promise<Turn> {
    if (error) {
      return error.isRedirectRequired() ? { kind: 'browser' } : { kind: 'refused', why: explain(error) };
    }
    if (data) {
      return this.#finish(data);
    }
    if (state instanceof SignInPasswordRequiredState) {
      return this.#ask('password', (password) => state.submitPassword(password));
    }
    if (state instanceof SignInCodeRequiredState) {
      return this.#ask('code', (code) => state.submitCode(code));
    }
    if (state instanceof MfaAwaitingState) {
      return this.#read(await state.requestChallenge(state.getAuthMethods()[0]?.id ?? ''));
    }
    if (state instanceof MfaVerificationRequiredState) {
      return this.#ask('code', (code) => state.submitChallenge(code));
    }
    return { kind: 'refused', why: `This page does not know what to do in the state ${state.stateType}.` };
  }

  #ask(ask: 'password' | 'code', submit: (answer: string) => Promise<Result>, wrong?: string): Turn {
    return {
      kind: 'ask',
      ask,
      wrong,
      submit: async (answer) => {
        const result = await submit(answer);
        return isWrongAnswer(result.error) ? this.#ask(ask, submit, explain(result.error)) : this.#read(result);
      },
    };
  }

  async #finish(account: CustomAuthAccountData, forceRefresh = false): Promise<Turn> {
    const { data, error } = await account.getAccessToken({ forceRefresh, scopes: [...this.#demand.scopes] });
    if (!data) {
      return { kind: 'refused', why: error?.errorData.message ?? 'There is no token.' };
    }
    return {
      kind: 'signedIn',
      name: account.getAccount().name ?? this.#demand.username,
      accessToken: data.accessToken,
    };
  }
}

/** What the results of all steps of the library have in common. */
interface Result {
  readonly state: AuthFlowStateBase;
  readonly error?: FlowError;
  readonly data?: CustomAuthAccountData | void | undefined;
}

interface FlowError {
  readonly errorData: { readonly errorDescription?: string | undefined; readonly message: string };
  isRedirectRequired(): boolean;
}

/** A mistyped password or code ends nothing: the same step takes another one. */
function isWrongAnswer(error: FlowError | undefined): error is FlowError {
  return (
    (error instanceof SignInSubmitPasswordError && error.isInvalidPassword()) ||
    (error instanceof SignInSubmitCodeError && error.isInvalidCode()) ||
    (error instanceof MfaSubmitChallengeError && error.isIncorrectChallenge())
  );
}

/** Entra's sentence, without the ids behind it. */
function explain({ errorData }: FlowError): string {
  const [sentence = ''] = (errorData.errorDescription ?? errorData.message).split(/\s*Trace ID:/);
  return sentence;
}
