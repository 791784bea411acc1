import type { Directory } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { demandTenant } from '../tenants.ts';
import { demandParameter } from '../token-request.ts';
import { findApp, objectIdIn, type App, type NativeAuthentication, type User, type World } from '../world-model.ts';
import type { Flow } from './flow.ts';

const CHALLENGE_TYPES = ['oob', 'password', 'redirect'];
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** A request whose client is known. */
export interface NativeRequest {
  readonly form: URLSearchParams;
  readonly tenantId: string;
  readonly client: App;
}

/**
 * Finds the client of a request and the tenant of its path.
 * @throws {EntraError} 900144, 700016, 90002, 9001023, 550022 when the app may not use native authentication
 */
export function readNativeRequest({ world }: Directory, segment: string, form: URLSearchParams): NativeRequest {
  const clientId = demandParameter(form, 'client_id');
  const client = findApp(world, clientId);
  if (client?.clientId !== clientId) {
    throw new EntraError(700016);
  }
  const tenantId = demandTenant(world, segment, client).id;
  demandNativeAuthentication(client);
  return { form, tenantId, client };
}

/**
 * How people sign up to an app.
 * @throws {EntraError} 550022 when native authentication is not enabled for it
 */
export function demandNativeAuthentication({ publicClient, nativeAuthentication }: App): NativeAuthentication {
  if (!publicClient) {
    throw new EntraError(550022);
  }
  if (nativeAuthentication) {
    return nativeAuthentication;
  }
  const text = 'Native authentication is not enabled for the application.';
  throw new EntraError(550022, { text, suberror: 'nativeauthapi_disabled' });
}

/**
 * What the client says about itself at the first call of a flow.
 * @throws {EntraError} 901007
 */
export function readFlow({ form, tenantId, client }: NativeRequest): Flow {
  return {
    clientId: client.clientId,
    tenantId,
    challengeTypes: readChallengeTypes(form),
    // The documentation says `capability`, with commas; Microsoft's browser library sends `capabilities`, with spaces.
    capabilities: (form.get('capability') ?? form.get('capabilities') ?? '').split(/[\s,]+/).filter(Boolean),
  };
}

/**
 * What the client can ask a person for, at a later call of a flow: it may leave out what it said at the first one.
 * @throws {EntraError} 901007
 */
export function declaredChallengeTypes({ form }: NativeRequest, { challengeTypes }: Flow): readonly string[] {
  return form.has('challenge_type') ? readChallengeTypes(form) : challengeTypes;
}

function readChallengeTypes(form: URLSearchParams): string[] {
  const types = (form.get('challenge_type') ?? '').split(' ').filter(Boolean);
  if (!types.includes('redirect')) {
    throw new EntraError(901007);
  }
  if (types.some((type) => !CHALLENGE_TYPES.includes(type))) {
    throw new EntraError(901007, { text: 'The challenge_type list parameter contains an unsupported challenge type.' });
  }
  return types;
}

/**
 * A parameter that holds an email address.
 * @throws {EntraError} 90100
 */
export function demandEmail(form: URLSearchParams, name: string): string {
  const value = form.get(name) ?? '';
  if (!EMAIL.test(value)) {
    throw new EntraError(90100, { text: `${name} parameter is empty or not valid.` });
  }
  return value;
}

/** The person of that user name, whatever its case, whom a tenant knows. */
export function findMember(world: World, tenantId: string, username: string): User | undefined {
  return world.users.find(
    (user) =>
      user.userPrincipalName.toLowerCase() === username.toLowerCase() && objectIdIn(user, tenantId) !== undefined,
  );
}

/**
 * The person whom the request names.
 * @throws {EntraError} 90100, 50034, 50057
 */
export function demandMember({ world }: Directory, { form, tenantId }: NativeRequest): User {
  const user = findMember(world, tenantId, demandEmail(form, 'username'));
  if (!user) {
    throw new EntraError(50034, { error: 'user_not_found' });
  }
  if (user.status === 'blocked') {
    throw new EntraError(50057);
  }
  return user;
}
