import { afterAll, describe, expect, it } from '@jest/globals';
import type { AuthFlowStateBase, SignInInputs } from '@azure/msal-browser/custom-auth';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { GRAPH_MFA_POLICY_ID, HOME_TENANT_ID, STOREFRONT_CLIENT_ID } from '../../dev/emulator/world.ts';
import { NATIVE_SCOPE, NativeClient } from './native-requests.ts';
import { claimsOf } from './token-requests.ts';

// The library runs only where there is a window; this is all that it wants of one here. It never closes a channel to
// other windows, which would keep the process alive.
Object.assign(globalThis, {
  window: {
    location: new URL('http://localhost:3000/'),
    navigator: { onLine: true, userAgent: 'a test' },
    crypto: globalThis.crypto,
    addEventListener: () => {},
  },
  BroadcastChannel: undefined,
  document: { cookie: '', addEventListener: () => {}, removeEventListener: () => {} },
});
const library = await import('@azure/msal-browser/custom-auth');

const emulator = await startEmulator();
const mail = new NativeClient(emulator);
afterAll(() => emulator.close());

const SCOPES = NATIVE_SCOPE.split(' ');
const ADELE = { username: 'adele@contoso.com', password: 'demo-password-of-adele', scopes: SCOPES };
const MEGAN = { username: 'megan@contoso.com', password: 'demo-password-of-megan', scopes: SCOPES };
const CODY = { username: 'cody@contoso.com', scopes: SCOPES };
const POLICY_CLAIMS = `{"access_token":{"capolids":{"essential":true,"values":["${GRAPH_MFA_POLICY_ID}"]}}}`;

type Client = Awaited<ReturnType<typeof library.CustomAuthPublicClientApplication.create>>;

/** A client that nobody is signed in to. */
function createClient(challengeTypes = ['password', 'oob']): Promise<Client> {
  return library.CustomAuthPublicClientApplication.create({
    auth: { clientId: STOREFRONT_CLIENT_ID, authority: `https://contoso.ciamlogin.com/${HOME_TENANT_ID}` },
    cache: { cacheLocation: 'memoryStorage' },
    customAuth: {
      // Node knows no CORS, so there is no proxy between.
      authApiProxyUrl: `${emulator.origin}/${HOME_TENANT_ID}`,
      challengeTypes,
      capabilities: ['mfa_required', 'registration_required'],
    },
  });
}

/** The state of a result, which has to be of that kind. */
function demandState<State extends AuthFlowStateBase>(
  { state, error }: { state: AuthFlowStateBase; error?: { errorData: Error } },
  kind: new (...args: never[]) => State,
): State {
  if (state instanceof kind) {
    return state;
  }
  throw new Error(`The flow is at ${state.constructor.name} and not at ${kind.name}: ${error?.errorData.message}`);
}

describe("Microsoft's native authentication library", () => {
  it('signs in with a password, and renews', async () => {
    const result = await (await createClient()).signIn(ADELE);
    demandState(result, library.SignInCompletedState);
    const renewed = await result.data?.getAccessToken({ scopes: SCOPES.slice(0, 1), forceRefresh: true });
    expect([result.data?.getAccount().username, claimsOf(renewed?.data?.accessToken)['amr']]).toEqual([
      ADELE.username,
      ['pwd'],
    ]);
  });

  it('signs in with a one-time code', async () => {
    const asked = demandState(await (await createClient()).signIn(CODY), library.SignInCodeRequiredState);
    const result = await asked.submitCode(await mail.readCode('cody'));
    demandState(result, library.SignInCompletedState);
    expect([asked.getCodeLength(), result.data?.getAccount().username]).toEqual([8, CODY.username]);
  });

  it('signs in with a second factor where a claims challenge wants it', async () => {
    const asked = demandState(
      await (await createClient()).signIn({ ...MEGAN, claims: POLICY_CLAIMS }),
      library.MfaAwaitingState,
    );
    const [method] = asked.getAuthMethods();
    const sent = demandState(await asked.requestChallenge(method?.id ?? ''), library.MfaVerificationRequiredState);
    const result = await sent.submitChallenge(await mail.readCode('megan'));
    demandState(result, library.MfaCompletedState);
    const token = await result.data?.getAccessToken({ scopes: SCOPES.slice(0, 1), forceRefresh: false });
    expect(claimsOf(token?.data?.accessToken)['amr']).toEqual(['pwd', 'mfa']);
  });

  it('registers a second factor for somebody who has none', async () => {
    const asked = demandState(
      await (await createClient()).signIn({ ...ADELE, claims: POLICY_CLAIMS }),
      library.AuthMethodRegistrationRequiredState,
    );
    const [method] = asked.getAuthMethods();
    if (!method) {
      throw new Error('No method is offered.');
    }
    const sent = demandState(
      await asked.challengeAuthMethod({ authMethodType: method, verificationContact: 'adele@home.example' }),
      library.AuthMethodVerificationRequiredState,
    );
    const result = await sent.submitChallenge(await mail.readCode('adele@home.example'));
    expect(demandState(result, library.AuthMethodRegistrationCompletedState)).toBeDefined();
  });

  it('signs up step by step, and is signed in', async () => {
    const username = 'sam@home.example';
    const codeAsked = demandState(await (await createClient()).signUp({ username }), library.SignUpCodeRequiredState);
    const passwordAsked = demandState(
      await codeAsked.submitCode(await mail.readCode(username)),
      library.SignUpPasswordRequiredState,
    );
    const nameAsked = demandState(
      await passwordAsked.submitPassword('Bicycle-Ride-7'),
      library.SignUpAttributesRequiredState,
    );
    const done = demandState(
      await nameAsked.submitAttributes({ displayName: 'Sam Signup' }),
      library.SignUpCompletedState,
    );
    const { data } = await done.signIn({ scopes: SCOPES });
    expect(data?.getAccount().name).toBe('Sam Signup');
  });

  it.each([
    { who: ADELE.username, challengeTypes: ['oob'] },
    { who: ADELE.username, challengeTypes: [] },
    { who: 'guest@fabrikam.com', challengeTypes: ['password', 'oob'] },
  ])('is sent to the browser by $who when it can do $challengeTypes', async ({ who, challengeTypes }) => {
    const { error } = await (await createClient(challengeTypes)).signIn({ username: who });
    expect(error?.isRedirectRequired()).toBe(true);
  });

  it('understands why a sign-in is refused', async () => {
    const client = await createClient();
    const refusalOf = async (inputs: SignInInputs): Promise<typeof result.error> => {
      const result = await client.signIn(inputs);
      return result.error;
    };
    expect([
      (await refusalOf({ ...ADELE, password: 'wrong' }))?.isPasswordIncorrect(),
      (await refusalOf({ username: 'nobody@contoso.com' }))?.isUserNotFound(),
      (await refusalOf({ username: 'nobody' }))?.isInvalidUsername(),
    ]).toEqual([true, true, true]);
  });

  it('understands why a sign-up is refused', async () => {
    const client = await createClient();
    const taken = await client.signUp({ username: 'megan@contoso.com' });
    const short = await client.signUp({ username: 'tim@home.example', password: 'short' });
    const nameless = await client.signUp({ username: 'tim@home.example', attributes: { displayName: '' } });
    expect([
      taken.error?.isUserAlreadyExists(),
      short.error?.isInvalidPassword(),
      nameless.error?.isAttributesValidationFailed(),
    ]).toEqual([true, true, true]);
  });

  it('starts a password reset, and understands that a code is wrong', async () => {
    const client = await createClient();
    const asked = demandState(
      await client.resetPassword({ username: MEGAN.username }),
      library.ResetPasswordCodeRequiredState,
    );
    const { error } = await asked.submitCode('0');
    const right = await asked.submitCode(await mail.readCode('megan'));
    expect([error?.isInvalidCode(), demandState(right, library.ResetPasswordPasswordRequiredState)]).toEqual([
      true,
      expect.anything(),
    ]);
  });
});
