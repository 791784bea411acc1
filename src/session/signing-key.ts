import type { KeyObject } from 'node:crypto';

/** A key that signs Entra's tokens; it is retired when Entra no longer publishes it. */
export interface SigningKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  /** The issuer that Entra binds the key to, which can contain `{tenantid}`; `undefined` where Entra names none. */
  readonly issuer: string | undefined;
  /** True once the key is retired; every session that it signed ends with it. Set by the owner of the key set. */
  retired: boolean;
}
