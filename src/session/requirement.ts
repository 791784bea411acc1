/**
 * One way to be allowed in: a user whose client has all of these delegated scopes, or an app with all of these app
 * roles. `scopes` has the names that a client asks Entra for; `claimed` has the names of the same scopes in the `scp`
 * claim of its token.
 */
export type Requirement =
  | { readonly caller: 'user'; readonly scopes: readonly string[]; readonly claimed: readonly string[] }
  | { readonly caller: 'app'; readonly roles: readonly string[] };

/** Who may call an operation: everyone without a token, or a caller who meets one of the requirements. */
export type Access = 'anonymous' | readonly Requirement[];
