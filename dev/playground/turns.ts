import type { DemoApi } from '../demo-apis/demo-api.ts';
import { noTrouble, type Trouble } from '../demo-apis/trouble.ts';
import type { Emulator } from '../emulator/emulator.ts';
import { defaultSwitches, type Refusal, type Switches } from '../emulator/switches.ts';
import type { Consent, Policy, World } from '../emulator/world-model.ts';
import {
  DEVICE_POLICY_IDS,
  demoWorld,
  GATEWAY_CLIENT_ID,
  GRAPH_APP_ID,
  GRAPH_MFA_POLICY_ID,
} from '../emulator/world.ts';

/** What the switches turn. */
export interface TurnableWorld {
  readonly emulator: Emulator;
  readonly graph: DemoApi;
  readonly gateway: RestartableGateway;
}

/** A gateway that can be made to forget everybody. */
export interface RestartableGateway {
  /** Ends what is in flight and starts anew on the same ports, with empty memory. */
  restart(): Promise<void>;
}

/** Brings the part of the world that one switch is about into one state, from whichever other. */
export type Turn = (world: TurnableWorld) => void | Promise<void>;

/** Lets a policy ask these people for MFA before Graph is read. */
export function demandMfaOnGraph(users: Policy['users']): Turn {
  return ({ emulator: { world } }) => {
    changePolicies(world, [GRAPH_MFA_POLICY_ID], { users, enabled: users.length > 0 });
  };
}

/** Sets what a person has to do for the authentication context of payouts. */
export function setPayoutContext(requires: 'mfa' | 'nothing'): Turn {
  return ({ emulator: { world } }) => {
    for (const context of world.authenticationContexts) {
      if (context.id === 'c1') {
        context.requires = requires;
      }
    }
  };
}

/** Forgets whoever agreed that the gateway reads Graph. */
export function takeGraphConsents({ emulator: { world } }: TurnableWorld): void {
  world.consents = world.consents.filter((consent) => !isGraphConsent(consent));
}

/** Lets those agree again who did so from the start. */
export function giveGraphConsents(world: TurnableWorld): void {
  takeGraphConsents(world);
  world.emulator.world.consents.push(...demoWorld().consents.filter(isGraphConsent));
}

/**
 * Lets Entra fail, but for the gateway only: so a person can still sign in, and meets the failure with a token that the
 * gateway does not know yet.
 */
export function failAsEntra(outage: Partial<Pick<Switches, 'entra' | 'retryAfter' | 'delayMs'>>): Turn {
  return ({ emulator: { switches } }) => {
    const { entra, retryAfter, delayMs } = defaultSwitches();
    Object.assign(switches, { entra, retryAfter, delayMs, ...outage, outageFor: 'confidentialClients' });
  };
}

/** Lets Entra refuse every exchange, the gateway's credential, or nothing. */
export function refuseExchanges(refusal: Refusal | 'secretExpired' | undefined): Turn {
  return ({ emulator: { world, switches } }) => {
    const secretExpired = refusal === 'secretExpired';
    Object.assign(switches, { refuse: secretExpired ? undefined : refusal, secretExpired });
    changePolicies(world, Object.values(DEVICE_POLICY_IDS), { enabled: false });
  };
}

/** Lets policies ask for a compliant device before any API behind the gateway is used. */
export async function demandCompliantDevices(world: TurnableWorld): Promise<void> {
  await refuseExchanges(undefined)(world);
  changePolicies(world.emulator.world, Object.values(DEVICE_POLICY_IDS), { enabled: true });
}

/** Lets Graph misbehave in this way and in no other. */
export function failAsGraph(trouble: Partial<Trouble>): Turn {
  return async ({ graph }) => {
    await graph.resume();
    Object.assign(graph.trouble, noTrouble(), trouble);
  };
}

/** Lets Graph listen no more. */
export async function takeGraphAway({ graph }: TurnableWorld): Promise<void> {
  await graph.pause();
}

/** Lets Graph ask for a token from now on, in the form of its continuous access evaluation, and never accept one. */
export async function demandNewerTokens(world: TurnableWorld): Promise<void> {
  const value = String(Math.floor(Date.now() / 1_000));
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value } } });
  const encoded = Buffer.from(claims).toString('base64');
  await failAsGraph({ challenge: `Bearer realm="", error="insufficient_claims", claims="${encoded}"` })(world);
}

function changePolicies({ policies }: World, ids: readonly string[], change: Partial<Policy>): void {
  for (const policy of policies) {
    if (ids.includes(policy.id)) {
      Object.assign(policy, change);
    }
  }
}

function isGraphConsent({ client, resource }: Consent): boolean {
  return client === GATEWAY_CLIENT_ID && resource === GRAPH_APP_ID;
}
