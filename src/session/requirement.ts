/** A person with all of these delegated scopes: `scopes` as a client asks Entra for them, `claimed` as `scp` names them. */
export interface UserRequirement {
  readonly caller: 'user';
  readonly scopes: readonly string[];
  readonly claimed: readonly string[];
}

/** A program with all of these app roles. */
export interface AppRequirement {
  readonly caller: 'app';
  readonly roles: readonly string[];
}

/**
 * One way to be allowed in. `anyone` is the way without a token: who meets none of the other ways is served as nobody,
 * and no token goes downstream.
 */
export type Requirement = UserRequirement | AppRequirement | { readonly caller: 'anyone' };

/** Who may call an operation: everyone without a token, or a caller who meets one of the requirements. */
export type Access = 'anonymous' | readonly Requirement[];

/** The scopes that a user is first asked for: those of the first requirement for users; empty where there is none. */
export function scopesForUsers(access: Access): readonly string[] {
  return access === 'anonymous'
    ? []
    : ((access.find(({ caller }) => caller === 'user') as UserRequirement | undefined)?.scopes ?? []);
}

/** True where a caller may do without a token, and one with a token may be somebody. */
export function isOptional(access: readonly Requirement[]): boolean {
  return access.some(({ caller }) => caller === 'anyone');
}
