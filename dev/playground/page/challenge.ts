import { readClaims } from '../../../examples/recover/next-step.ts';

/** A `WWW-Authenticate` header, taken apart. */
export interface Challenge {
  /** `realm`, `error` and so on, in order; without `claims`. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The claims request as JSON text. */
  readonly claims: string | undefined;
}

/** Takes a challenge of the gateway apart. */
export function readChallenge(header: string): Challenge {
  const parameters = [...header.matchAll(/(\w+)="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  return { parameters: parameters.filter(([name]) => name !== 'claims'), claims: readClaims(header) };
}

/** The value of a parameter. */
export function parameterOf({ parameters }: Challenge, name: string): string | undefined {
  return parameters.find(([candidate]) => candidate === name)?.[1];
}

/** The JSON text of a claims request, for reading. */
export function formatClaims(claims: string): string {
  return JSON.stringify(JSON.parse(claims), undefined, 2);
}

/** What a claims request asks for, in a sentence. */
export function explainClaims(claims: string): string {
  const { access_token: asked = {} } = JSON.parse(claims) as ClaimsRequest;
  if (asked.nbf) {
    return `Only a token issued after ${new Date(Number(asked.nbf.value) * 1000).toLocaleTimeString()} will do: the sessions before were revoked, so the person signs in again.`;
  }
  if (asked.acrs) {
    return `The token has to carry the authentication context ${asked.acrs.value}, which Entra gives after a fresh proof such as MFA.`;
  }
  if (asked.capolids ?? asked.polids) {
    return 'A Conditional Access policy guards what the gateway wants to reach; the claims name it. The person has to satisfy it, for example with MFA. The gateway cannot do that in their place.';
  }
  return 'The client passes these claims on to Entra as they are; Entra knows what they ask for.';
}

interface ClaimsRequest {
  readonly access_token?: {
    readonly nbf?: { readonly value: string };
    readonly acrs?: { readonly value: string };
    readonly capolids?: object;
    readonly polids?: object;
  };
}
