import { afterAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { readClaimsChallenge } from '../../dev/tour/claims-challenge.ts';
import { startWorld } from '../../dev/world.ts';
import { NativeClient } from './native-requests.ts';
import type { Form, TokenAnswer } from './token-requests.ts';

const world = await startWorld();
const client = new NativeClient(world.emulator);
afterAll(() => world.close());

const SCOPE = `api://${GATEWAY_CLIENT_ID}/Profile.Read openid profile offline_access`;

async function signIn(alias: string, form: Form = {}): Promise<TokenAnswer> {
  const password = { grant_type: 'password', password: `demo-password-of-${alias}` };
  return client.redeem(await client.startSignIn(`${alias}@contoso.com`), { ...password, scope: SCOPE, ...form });
}

function readProfile({ body }: TokenAnswer): Promise<Response> {
  return fetch(`${world.gatewayUrl}/me`, { headers: { authorization: `Bearer ${String(body['access_token'])}` } });
}

describe('somebody who signed in without a browser', () => {
  it('calls the gateway', async () => {
    const response = await readProfile(await signIn('adele'));
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ displayName: 'Adele Vance' }),
    ]);
  });

  it("satisfies the gateway's claims challenge without one, too", async () => {
    const challenged = await readProfile(await signIn('megan'));
    const { claims } = readClaimsChallenge(challenged.headers.get('www-authenticate'));
    const refused = await signIn('megan', { claims });
    const sent = await client.walk(refused, ['oauth2/v2.0/introspect'], ['oauth2/v2.0/challenge']);
    const oob = await client.readCode('megan');
    const signedIn = await client.redeem(sent, { grant_type: 'mfa_oob', oob, scope: SCOPE, claims });
    const response = await readProfile(signedIn);
    expect([challenged.status, refused.body['suberror'], response.status]).toEqual([401, 'mfa_required', 200]);
  });
});
