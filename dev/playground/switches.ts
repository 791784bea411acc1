import type { SwitchPosition, WorldAction } from './playground-settings.ts';
import {
  demandCompliantDevices,
  demandMfaOnGraph,
  demandNewerTokens,
  failAsEntra,
  failAsGraph,
  giveGraphConsents,
  refuseExchanges,
  setPayoutContext,
  takeGraphAway,
  takeGraphConsents,
  type Turn,
  type TurnableWorld,
} from './turns.ts';

/** A position and the way into it. */
interface Position extends SwitchPosition {
  readonly turn: Turn;
}

/** A switch and its positions, at rest first. */
interface Switch {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly positions: readonly [Position, ...Position[]];
}

/** An action and how it is done. */
interface Action extends WorldAction {
  readonly act: (world: TurnableWorld) => void | Promise<void>;
}

/** Everything that can be turned from the page; a test calls the gateway in each position. */
export const SWITCHES: readonly Switch[] = [
  {
    id: 'graph-mfa',
    group: 'Policies',
    title: 'MFA before Microsoft Graph is read',
    positions: [
      {
        id: 'megan',
        title: 'for Megan',
        effect: 'Megan without MFA gets a claims challenge (401, insufficient_claims); nobody else is asked.',
        turn: demandMfaOnGraph(['megan']),
      },
      {
        id: 'everyone',
        title: 'for everyone',
        effect:
          'Whoever signed in without MFA gets a claims challenge (401, insufficient_claims). Only Megan and Gustav have a second factor.',
        turn: demandMfaOnGraph('all'),
      },
      {
        id: 'off',
        title: 'for nobody',
        effect: 'A password is enough for everyone.',
        turn: demandMfaOnGraph([]),
      },
    ],
  },
  {
    id: 'payout-context',
    group: 'Policies',
    title: 'What authentication context c1 takes, which payouts need',
    positions: [
      {
        id: 'mfa',
        title: 'MFA',
        effect: 'A payout gets a claims challenge (401, insufficient_claims), which MFA satisfies.',
        turn: setPayoutContext('mfa'),
      },
      {
        id: 'free',
        title: 'nothing',
        effect:
          'A payout still gets a claims challenge (401, insufficient_claims), but Entra gives the context without asking.',
        turn: setPayoutContext('nothing'),
      },
    ],
  },
  {
    id: 'consent',
    group: 'Policies',
    title: 'Consent that the gateway reads Microsoft Graph',
    positions: [
      {
        id: 'given',
        title: 'given',
        effect: 'Everybody has agreed, except Nestor at the start.',
        turn: giveGraphConsents,
      },
      {
        id: 'missing',
        title: 'missing',
        effect: 'Nobody agreed: a call to Graph is refused with a link for agreeing (403, consent_required).',
        turn: takeGraphConsents,
      },
    ],
  },
  {
    id: 'entra',
    group: 'Entra',
    title: 'How Entra is when the gateway asks it',
    positions: [
      { id: 'up', title: 'well', effect: 'Entra answers.', turn: failAsEntra({ entra: 'up' }) },
      {
        id: 'throttled',
        title: 'throttling',
        effect:
          'Entra answers 429 and wants 10 seconds of peace; until then callers are told to wait (503, identity_unavailable).',
        turn: failAsEntra({ entra: 'throttled', retryAfter: '10' }),
      },
      {
        id: 'down',
        title: 'down',
        effect: 'Entra answers 503 with a web page; callers are told to wait (503, identity_unavailable).',
        turn: failAsEntra({ entra: 'html503' }),
      },
      {
        id: 'slow',
        title: 'slow',
        effect: 'Entra takes 2 seconds; the first call with a token takes as long, and works.',
        turn: failAsEntra({ entra: 'slow', delayMs: 2_000 }),
      },
      {
        id: 'hang',
        title: 'silent',
        effect: 'Entra never answers; after 5 seconds callers are told to wait (503, identity_unavailable).',
        turn: failAsEntra({ entra: 'hang' }),
      },
    ],
  },
  {
    id: 'exchange',
    group: 'Entra',
    title: 'What Entra answers to an exchange',
    positions: [
      {
        id: 'normal',
        title: 'what the policies say',
        effect: 'A token, or what a policy asks for.',
        turn: refuseExchanges(undefined),
      },
      {
        id: 'device',
        title: 'compliant device needed (53000)',
        effect:
          'A claims challenge (401, insufficient_claims) that cannot be satisfied here: no browser of the demo is on such a device.',
        turn: demandCompliantDevices,
      },
      {
        id: 'no-claims',
        title: 'interaction needed, not said for what (50076)',
        effect:
          'The person has to sign in again on a page (401, interaction_required); there are no claims to ask for.',
        turn: refuseExchanges({ error: 'invalid_grant', error_codes: [50076], suberror: 'basic_action' }),
      },
      {
        id: 'blocked',
        title: 'blocked by a policy (53003)',
        effect: 'Nothing that the person does would help (403, access_denied).',
        turn: refuseExchanges({ error: 'invalid_grant', error_codes: [53003], suberror: 'message_only' }),
      },
      {
        id: 'not-assigned',
        title: 'person not assigned to the API (50105)',
        effect: 'Nothing that the person does would help (403, access_denied).',
        turn: refuseExchanges({ error: 'invalid_grant', error_codes: [50105] }),
      },
      {
        id: 'grant-revoked',
        title: 'grant revoked (50173)',
        effect: 'The caller’s token is no longer valid (401, invalid_token); the person has to sign in again.',
        turn: refuseExchanges({ error: 'invalid_grant', error_codes: [50173], suberror: 'bad_token' }),
      },
      {
        id: 'secret-expired',
        title: 'the gateway’s secret expired (7000222)',
        effect: 'The gateway itself is at fault (500, gateway_misconfigured); its log tells operators what to fix.',
        turn: refuseExchanges('secretExpired'),
      },
    ],
  },
  {
    id: 'graph',
    group: 'Microsoft Graph',
    title: 'How Microsoft Graph is',
    positions: [
      { id: 'well', title: 'well', effect: 'Graph answers.', turn: failAsGraph({}) },
      {
        id: 'slow',
        title: 'slow',
        effect: 'Graph takes 2 seconds, and so does the call.',
        turn: failAsGraph({ delayMs: 2_000 }),
      },
      {
        id: 'hang',
        title: 'silent',
        effect: 'Graph never answers; after 5 seconds the gateway gives up (504, downstream_timeout).',
        turn: failAsGraph({ hang: true }),
      },
      {
        id: 'broken',
        title: 'breaking connections',
        effect: 'Graph breaks every connection (502, downstream_unreachable).',
        turn: failAsGraph({ reset: true }),
      },
      {
        id: 'gone',
        title: 'gone',
        effect:
          'Nobody listens on Graph’s port (502, downstream_unreachable). After 50 calls in a row without a connection the gateway stops trying for 2 seconds at a time (503, downstream_unavailable, with Retry-After); “your token, 60 times” sends that many.',
        turn: takeGraphAway,
      },
      {
        id: 'rejects',
        title: 'rejecting the gateway’s token',
        effect: 'Graph answers 401 without claims. The caller cannot help that (502, downstream_rejected_token).',
        turn: failAsGraph({ challenge: 'Bearer realm=""' }),
      },
      {
        id: 'insatiable',
        title: 'never satisfied',
        effect:
          'Graph asks for a fresh sign-in whatever the token (401, insufficient_claims). At the third token the gateway ends the loop (403, step_up_unsatisfiable).',
        turn: demandNewerTokens,
      },
    ],
  },
];

/** Everything that can be done once from the page. */
export const ACTIONS: readonly Action[] = [
  revoke('adele', 'Adele'),
  revoke('megan', 'Megan'),
  {
    id: 'roll-keys',
    group: 'Entra',
    title: 'Roll the signing keys',
    effect:
      'New tokens are signed with a new key; sign in again to get one. The gateway fetches the key when it meets the first of them, but not twice within 30 seconds: until then it refuses them (401, invalid_token).',
    act: ({ emulator }) => emulator.rollKeys(),
  },
  {
    id: 'restart-gateway',
    group: 'Gateway',
    title: 'Restart the gateway',
    effect:
      'It forgets all sessions, downstream tokens, refusals and repeated challenges; the next call verifies and exchanges anew.',
    act: ({ gateway }) => gateway.restart(),
  },
];

function revoke(user: string, name: string): Action {
  return {
    id: `revoke-${user}`,
    group: 'Entra',
    title: `Revoke ${name}’s sessions`,
    effect: `Graph refuses what was issued to ${name} so far at once, also in the middle of work (401, insufficient_claims); the next sign-in ends that.`,
    act: ({ emulator }) => {
      emulator.revokeUser(user);
    },
  };
}
