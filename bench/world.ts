/** The registration, at the Entra of the bench, that every measured server stands for. */
export const CLIENT_ID = '6e74172b-be56-4843-9ff4-e66a39bb12e3';

/** The tenant of all users. */
export const TENANT_ID = '72f988bf-86f1-41af-91ab-2d7cd011db47';

/** The issuer that all assertions name; Entra's metadata says so too, wherever it listens. */
export const ISSUER = `https://login.microsoftonline.com/${TENANT_ID}/v2.0`;

/** The delegated scope of the callers' tokens. */
export const SCOPE = 'Profile.Read';

/** What the exchanged tokens are for. */
export const DOWNSTREAM_SCOPE = 'https://graph.microsoft.com/User.Read';

/** How every token of the bench's Entra for a downstream begins; the user's object id follows. */
export const DOWNSTREAM_TOKEN_PREFIX = 'downstream.';

/** The token that HAProxy puts in place of the caller's, as long as Entra's. */
export const STATIC_DOWNSTREAM_TOKEN = `${DOWNSTREAM_TOKEN_PREFIX}static.`.padEnd(1_500, 'x');
