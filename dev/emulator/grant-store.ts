import { randomBytes } from 'node:crypto';
import type { App, RedirectUri } from './world-model.ts';

/** What a person proved when they signed in. */
export interface SignIn {
  /** Object id in `tenantId`. */
  readonly oid: string;
  readonly tenantId: string;
  /** How they proved it: `pwd`, `mfa`. */
  readonly amr: readonly string[];
  /** Authentication contexts that were satisfied. */
  readonly acrs: readonly string[];
  /** Unix seconds. */
  readonly authTime: number;
}

/** An authorization code and what it stands for. */
export interface AuthorizationCode {
  readonly signIn: SignIn;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly kind: RedirectUri['kind'];
  readonly scope: string;
  readonly claims: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly codeChallengeMethod: string;
  /** Unix seconds. */
  readonly expiresAt: number;
  redeemed: boolean;
}

/** A refresh token and what it stands for; it is not bound to a resource. */
export interface RefreshToken {
  readonly signIn: SignIn;
  readonly clientId: string;
  readonly kind: RedirectUri['kind'];
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** A device code and how far its person got. */
export interface DeviceCode {
  readonly userCode: string;
  readonly client: App;
  readonly tenant: string;
  readonly scope: string;
  readonly claims: string | undefined;
  /** Unix seconds. */
  readonly expiresAt: number;
  answer: SignIn | 'pending' | 'declined';
}

/** The grants and browser sessions that are alive. */
export class GrantStore {
  readonly codes: Map<string, AuthorizationCode> = new Map();
  readonly refreshTokens: Map<string, RefreshToken> = new Map();
  readonly deviceCodes: Map<string, DeviceCode> = new Map();
  /** Browser sessions by cookie value. */
  readonly sessions: Map<string, SignIn> = new Map();
}

/** An opaque value that cannot be guessed. */
export function randomHandle(): string {
  return `1.${randomBytes(32).toString('base64url')}`;
}
