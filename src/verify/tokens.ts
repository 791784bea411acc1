/** The tokens that a verification can use, each in a variable of the environment. */
export const TOKENS = {
  user: {
    variable: 'VERIFY_USER_TOKEN',
    holds: 'a user with every scope of the contract, without authentication contexts',
  },
  scopeless: {
    variable: 'VERIFY_USER_TOKEN_NO_SCOPE',
    holds: 'a user with some other scope only',
  },
  steppedUp: {
    variable: 'VERIFY_USER_TOKEN_STEPPED_UP',
    holds: 'a user with every scope and every proof that is asked for',
  },
  app: {
    variable: 'VERIFY_APP_TOKEN',
    holds: 'an app with every app role of the contract',
  },
} as const;

/** The name of a token of {@link TOKENS}. */
export type TokenName = keyof typeof TOKENS;

/** The tokens that were given. */
export type Tokens = Readonly<Partial<Record<TokenName, string>>>;

/** Finds the tokens in an environment; an empty variable is none. */
export function readTokens(env: Readonly<Record<string, string | undefined>>): Tokens {
  const names = Object.keys(TOKENS) as TokenName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const token = env[TOKENS[name].variable]?.trim() ?? '';
      return token === '' ? [] : [[name, token]];
    }),
  );
}
