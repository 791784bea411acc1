/** The endpoint that gives tokens; its grants are checked. */
export const TOKEN_ENDPOINT = '/oauth2/v2.0/token';

/**
 * The paths of the native authentication API below a tenant. The proxy serves these and no others.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-native-authentication-api
 */
export const ENDPOINTS: readonly string[] = [
  '/oauth2/v2.0/initiate',
  '/oauth2/v2.0/challenge',
  TOKEN_ENDPOINT,
  '/oauth2/v2.0/introspect',
  '/signup/v1.0/start',
  '/signup/v1.0/challenge',
  '/signup/v1.0/continue',
  '/resetpassword/v1.0/start',
  '/resetpassword/v1.0/challenge',
  '/resetpassword/v1.0/continue',
  '/resetpassword/v1.0/submit',
  '/resetpassword/v1.0/poll_completion',
  '/register/v1.0/introspect',
  '/register/v1.0/challenge',
  '/register/v1.0/continue',
];
