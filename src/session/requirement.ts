/**
 * One way to be allowed in: a person with all of these delegated scopes, or a program with all of these app roles.
 * `scopes` are what a client asks Entra for, `claimed` the same as the `scp` claim of its token names them.
 */
export type Requirement =
  | { readonly caller: 'user'; readonly scopes: readonly string[]; readonly claimed: readonly string[] }
  | { readonly caller: 'app'; readonly roles: readonly string[] };

/** Who may call an operation: nobody needs a token, or any one of the requirements must be met. */
export type Access = 'anonymous' | readonly Requirement[];
