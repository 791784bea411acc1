import type { Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID, STOREFRONT_CLIENT_ID } from '../../dev/emulator/world.ts';
import { encodeForm, type Form, type TokenAnswer } from './token-requests.ts';

/** What a client asks for so that it gets all the tokens that Microsoft's library wants to see. */
export const NATIVE_SCOPE = `api://${GATEWAY_CLIENT_ID}/Orders.Read openid profile offline_access`;

/** What a client declares that can do everything. */
export const EVERYTHING = {
  challenge_type: 'oob password redirect',
  capabilities: 'mfa_required registration_required',
};

/** A client of the native authentication API that makes one call at a time, as Microsoft's library does. */
export class NativeClient {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  /** Posts a form to a path behind the tenant, by default as the storefront. */
  async post(path: string, form: Form, tenant = HOME_TENANT_ID): Promise<TokenAnswer> {
    const response = await fetch(`${this.#emulator.origin}/${tenant}/${path}`, {
      method: 'POST',
      body: encodeForm({ client_id: STOREFRONT_CLIENT_ID, ...form }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body };
  }

  /**
   * Makes the calls one after the other, each with the continuation token that the answer before it had; `from` is the
   * answer before the first call. The answer is the last one.
   */
  async walk(from: TokenAnswer | undefined, ...calls: readonly [path: string, form?: Form][]): Promise<TokenAnswer> {
    let answer = from;
    for (const [path, form] of calls) {
      answer = await this.post(path, { continuation_token: tokenOf(answer), ...form });
    }
    if (!answer) {
      throw new Error('There is no call to make.');
    }
    return answer;
  }

  /** Asks for tokens with the continuation token of an answer. */
  redeem(answer: TokenAnswer, form: Form): Promise<TokenAnswer> {
    const common = { scope: NATIVE_SCOPE, client_info: '1', continuation_token: tokenOf(answer) };
    return this.post('oauth2/v2.0/token', { ...common, ...form });
  }

  /** Signs in as far as the person has to be asked for something. */
  startSignIn(username: string, declared: Form = EVERYTHING): Promise<TokenAnswer> {
    return this.walk(undefined, ['oauth2/v2.0/initiate', { username, ...declared }], ['oauth2/v2.0/challenge']);
  }

  /** The last code that was sent to somebody. */
  async readCode(user: string): Promise<string> {
    const response = await fetch(`${this.#emulator.origin}/_emulator/codes?user=${encodeURIComponent(user)}`);
    const [latest] = (await response.json()) as { code: string }[];
    return latest?.code ?? 'none was sent';
  }
}

/** The continuation token of an answer. */
function tokenOf(answer: TokenAnswer | undefined): string | undefined {
  const token = answer?.body['continuation_token'];
  return typeof token === 'string' ? token : undefined;
}
