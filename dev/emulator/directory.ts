import type { GrantStore } from './grant-store.ts';
import type { Continuation } from './native-auth/flow.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { Switches } from './switches.ts';
import type { World } from './world-model.ts';

/** Everything the endpoints of one emulator share. */
export interface Directory {
  /** `http://localhost:{port}`. */
  readonly origin: string;
  readonly world: World;
  readonly switches: Switches;
  readonly keys: SigningKeys;
  readonly grants: GrantStore;
  /** Flows of native authentication that are under way, by their continuation token. */
  readonly continuations: Map<string, Continuation>;
  /** Every one-time code that was sent, oldest first. */
  readonly sentCodes: SentCode[];
}

/** An email with a one-time code, which nobody sends: the codes are read at `/_emulator/codes?user=…`. */
export interface SentCode {
  readonly to: string;
  readonly code: string;
  /** What it is for, in a few words. */
  readonly purpose: string;
  /** ISO 8601. */
  readonly sentAt: string;
}

/** The issuer of a tenant's v2 tokens, or the template when given `{tenantid}`. */
export function issuerV2(origin: string, tenantId: string): string {
  return `${origin}/${tenantId}/v2.0`;
}

/** The issuer of a tenant's v1 tokens; the path stands for the host sts.windows.net. */
export function issuerV1(origin: string, tenantId: string): string {
  return `${origin}/v1/${tenantId}/`;
}

/** Now, in unix seconds. */
export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}
