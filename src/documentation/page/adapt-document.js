/**
 * How people sign in on the page.
 *
 * @typedef {object} SignIn
 * @property {string} clientId that of the page's own app registration
 * @property {string} authorizationUrl
 * @property {string} tokenUrl
 * @property {string} resource the App ID URI of the API, to which scopes without a resource belong
 */

/** The flows in which people sign in; the page offers the one that is for pages in their place. */
const USER_FLOWS = ['authorizationCode', 'implicit', 'password', 'deviceAuthorization'];

/**
 * A published document as the page shows it: whatever people call with is something that they can get here, by signing
 * in, or, where that is not offered, a token that they paste.
 *
 * @param {any} document as it was parsed
 * @param {SignIn | undefined} signIn absent where the page has no app registration
 * @returns {any}
 */
export function adaptDocument(document, signIn) {
  const { components = {}, paths = {}, security } = document;
  const { securitySchemes = {}, pathItems = {} } = components;
  const requirements = [
    document,
    ...[...Object.values(paths), ...Object.values(pathItems)].flatMap(listOperations),
  ].flatMap((part) => part.security ?? []);
  const adapt = (/** @type {any} */ operation) => ({ ...operation, security: qualifyAll(operation.security, signIn) });
  return {
    ...document,
    ...(security && { security: qualifyAll(security, signIn) }),
    paths: mapValues(paths, (item) => mapOperations(item, adapt)),
    components: {
      ...components,
      pathItems: mapValues(pathItems, (item) => mapOperations(item, adapt)),
      securitySchemes: mapValues(securitySchemes, (scheme, name) => {
        const scopes = requirements.flatMap((requirement) => requirement[name] ?? []);
        return adaptScheme(scheme, scopes, signIn);
      }),
    },
  };
}

/**
 * The scopes that people can choose from in a document that {@link adaptDocument} made.
 *
 * @param {any} document
 * @returns {string[]}
 */
export function listScopes(document) {
  return Object.values(document.components.securitySchemes).flatMap((scheme) =>
    Object.keys(scheme.flows?.authorizationCode?.scopes ?? {}),
  );
}

/**
 * @param {any} scheme
 * @param {string[]} required the scopes that operations ask for
 * @param {SignIn | undefined} signIn
 */
function adaptScheme(scheme, required, signIn) {
  const { type, description = '' } = scheme;
  const isBearer = type === 'http' && String(scheme.scheme).toLowerCase() === 'bearer';
  if (type !== 'oauth2' && type !== 'openIdConnect' && !isBearer) {
    return scheme;
  }
  const flows = USER_FLOWS.flatMap((name) => scheme.flows?.[name] ?? []);
  const isForApps = type === 'oauth2' && flows.length === 0;
  if (signIn === undefined || isForApps) {
    return { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description };
  }
  const { authorizationUrl, tokenUrl, resource } = signIn;
  const told = Object.assign({}, ...flows.map(({ scopes }) => scopes));
  const scopes = required.map((scope) => [qualify(scope, signIn), told[scope] ?? '']);
  const chosen = scopes.length > 0 ? scopes : [[`${resource}/.default`, 'Everything that this page may do']];
  const flow = { authorizationUrl, tokenUrl, scopes: Object.fromEntries(chosen) };
  return { type: 'oauth2', description, flows: { authorizationCode: flow } };
}

/**
 * @param {Record<string, string[]>[]} requirements
 * @param {SignIn | undefined} signIn
 */
function qualifyAll(requirements, signIn) {
  return requirements.map((requirement) =>
    mapValues(requirement, (scopes) => scopes.map((/** @type {string} */ scope) => qualify(scope, signIn))),
  );
}

/**
 * Entra takes a scope without a resource for one of Microsoft Graph.
 *
 * @param {string} scope
 * @param {SignIn | undefined} signIn
 */
function qualify(scope, signIn) {
  return signIn === undefined || scope.includes('/') ? scope : `${signIn.resource}/${scope}`;
}

/**
 * The operations that say who may call them.
 *
 * @param {any} item a path item
 * @returns {any[]}
 */
function listOperations(item) {
  const { additionalOperations = {}, ...members } = item;
  return [...Object.values(members), ...Object.values(additionalOperations)].filter(hasSecurity);
}

/**
 * @param {any} item a path item
 * @param {(operation: any) => any} change for the operations that say who may call them
 */
function mapOperations(item, change) {
  const { additionalOperations, ...members } = item;
  const changeMember = (/** @type {any} */ member) => (hasSecurity(member) ? change(member) : member);
  return {
    ...mapValues(members, changeMember),
    ...(additionalOperations && { additionalOperations: mapValues(additionalOperations, changeMember) }),
  };
}

/** @param {any} member */
function hasSecurity(member) {
  return Array.isArray(member?.security);
}

/**
 * @param {Record<string, any>} members
 * @param {(value: any, name: string) => any} change
 */
function mapValues(members, change) {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value, name)]));
}
