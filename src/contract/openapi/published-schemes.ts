import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** Where clients of a tenant get their tokens. */
export interface AuthorityAddresses {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly deviceAuthorizationUrl: string;
  readonly openIdConfigurationUrl: string;
}

/** The addresses that each flow has (OpenAPI 3.2 §4.29, 3.1 §4.8.29). */
const FLOWS: Readonly<Record<string, readonly (keyof AuthorityAddresses)[]>> = {
  implicit: ['authorizationUrl'],
  password: ['tokenUrl'],
  clientCredentials: ['tokenUrl'],
  authorizationCode: ['authorizationUrl', 'tokenUrl'],
  deviceAuthorization: ['deviceAuthorizationUrl', 'tokenUrl'],
};

/** A security scheme with the addresses of the authority, whatever the author of the document wrote. */
export function addressScheme(scheme: unknown, authority: AuthorityAddresses): unknown {
  if (!isJsonObject(scheme)) {
    return scheme;
  }
  const { oauth2MetadataUrl, flows } = scheme;
  switch (scheme['type']) {
    case 'openIdConnect':
      return { ...scheme, openIdConnectUrl: authority.openIdConfigurationUrl };
    case 'oauth2':
      return {
        ...scheme,
        ...(isJsonObject(flows) && { flows: addressFlows(flows, authority) }),
        ...(oauth2MetadataUrl !== undefined && { oauth2MetadataUrl: authority.openIdConfigurationUrl }),
      };
    default:
      return scheme;
  }
}

function addressFlows(flows: JsonObject, authority: AuthorityAddresses): JsonObject {
  return Object.fromEntries(
    Object.entries(flows).map(([name, flow]) => {
      if (!isJsonObject(flow) || !Object.hasOwn(FLOWS, name)) {
        return [name, flow];
      }
      const addresses = (FLOWS[name] ?? []).map((key) => [key, authority[key]]);
      const refresh = flow['refreshUrl'] === undefined ? {} : { refreshUrl: authority.tokenUrl };
      return [name, { ...flow, ...Object.fromEntries(addresses), ...refresh }];
    }),
  );
}

/**
 * The schemes of a document whose `security` gateway.yaml says.
 *
 * @param scopes of people, for the scheme `user`; absent where none are asked for
 * @param roles of programs, for the scheme `app`; absent where none are asked for
 */
export function makeSchemes(
  { scopes, roles }: { readonly scopes?: readonly string[]; readonly roles?: readonly string[] },
  { authorizationUrl, tokenUrl }: AuthorityAddresses,
): JsonObject {
  return {
    ...(scopes && {
      user: {
        type: 'oauth2',
        description: 'A person who signed in at Microsoft Entra.',
        flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes: describeAll(scopes) } },
      },
    }),
    ...(roles && {
      app: {
        type: 'oauth2',
        description: 'A program that signs in as itself.',
        flows: { clientCredentials: { tokenUrl, scopes: describeAll(roles) } },
      },
    }),
  };
}

function describeAll(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, name]));
}
