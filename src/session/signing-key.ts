import type { KeyObject } from 'node:crypto';

/** A key that signed tokens; it is retired when Entra publishes it no more. */
export interface SigningKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  /** The issuer that Entra binds the key to, perhaps with `{tenantid}` in it. */
  readonly issuer: string | undefined;
  retired: boolean;
}
