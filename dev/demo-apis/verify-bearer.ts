import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import type { Emulator } from '../emulator/emulator.ts';

/** The claims of a downstream token that the demo APIs look at. */
export interface DownstreamClaims extends JWTPayload {
  readonly oid: string;
  readonly tid: string;
  /** Delegated scopes, separated by spaces; absent from an app's token. */
  readonly scp?: string;
  /** App roles. */
  readonly roles?: readonly string[];
}

/** Verifies the bearer token of an `Authorization` header; undefined when it is missing or not good. */
export type VerifyBearer = (authorization: string | undefined) => Promise<DownstreamClaims | undefined>;

/** Tokens after a revocation are dated to the next full second, which can be ahead of this clock. */
const RULES = { algorithms: ['RS256'], clockTolerance: 1 };

/** Makes a verifier with the emulator's keys for tokens of one audience. */
export function verifierFor({ origin }: Emulator, audience: string[]): VerifyBearer {
  const keysUrl = new URL(`${origin}/common/discovery/v2.0/keys`);
  const keys = createRemoteJWKSet(keysUrl, { cooldownDuration: 0 });
  return async (authorization) => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      return undefined;
    }
    try {
      const { payload } = await jwtVerify<DownstreamClaims>(token, keys, { ...RULES, audience });
      return payload.iss?.startsWith(`${origin}/`) ? payload : undefined;
    } catch {
      return undefined;
    }
  };
}
