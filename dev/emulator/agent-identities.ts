import type { Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import { findApp, type App } from './world-model.ts';

/**
 * Lets pass who may have tokens without an agent identity: every app but a strict blueprint.
 *
 * @param code the refusal, which differs by grant
 * @throws {EntraError} 82001, 82002
 */
export function demandOwnTokens({ blueprint }: App, code: 82001 | 82002): void {
  if (blueprint?.getsOwnTokens === false) {
    throw new EntraError(code);
  }
}

/**
 * What a token says of an agent identity that is its actor.
 *
 * @see https://learn.microsoft.com/entra/agent-id/agent-token-claims
 */
export function describeActor({ agent }: App): Record<string, unknown> {
  return agent === undefined ? {} : { xms_act_fct: '3 9 11', xms_par_app_azp: agent.blueprint };
}

/** What a token says of an agent identity that is its subject. */
export function describeSubject({ agent }: App): Record<string, unknown> {
  return agent === undefined ? {} : { xms_sub_fct: '3 9 11', idtyp: 'app' };
}

/** The clients whose consents count for an app: an agent identity inherits those of its blueprint. */
export function clientsWithConsent({ clientId, agent }: App): readonly string[] {
  return agent === undefined ? [clientId] : [clientId, agent.blueprint];
}

/** The app whose API a person's token must be for, so that the client may exchange it: that of an agent is its blueprint's. */
export function audienceOwner({ world }: Directory, client: App): App {
  return client.agent === undefined ? client : (findApp(world, client.agent.blueprint) ?? client);
}
