import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** The schemes that `security` of a server and its tools may name without declaring them: for people, and for programs. */
const KNOWN_SCHEMES = { user: 'authorizationCode', app: 'clientCredentials' } as const;

/** Clients get the addresses of the authority in their place. */
const ANY_ADDRESS = 'https://login.microsoftonline.com/';

/**
 * Declares the schemes that MCP servers name and the document does not, with everything that is asked for by them.
 *
 * @param servers what stands in `x-mcp-server`
 */
export function declareKnownSchemes(root: JsonObject, servers: readonly unknown[]): JsonObject {
  const components = isJsonObject(root['components']) ? root['components'] : {};
  const declared = isJsonObject(components['securitySchemes']) ? components['securitySchemes'] : {};
  const requirements = servers
    .filter(isJsonObject)
    .flatMap((server) => [server, ...listTools(server)])
    .flatMap(listRequirements);
  const missing = Object.entries(KNOWN_SCHEMES).flatMap(([name, flow]) => {
    const asking = requirements.filter((requirement) => Object.hasOwn(requirement, name));
    return Object.hasOwn(declared, name) || asking.length === 0
      ? []
      : [
          [
            name,
            describeScheme(
              flow,
              asking.flatMap((requirement) => listNames(requirement[name])),
            ),
          ] as const,
        ];
  });
  return missing.length === 0
    ? root
    : { ...root, components: { ...components, securitySchemes: { ...declared, ...Object.fromEntries(missing) } } };
}

function listTools({ tools }: JsonObject): readonly JsonObject[] {
  return isJsonObject(tools) ? Object.values(tools).filter(isJsonObject) : [];
}

function listRequirements({ security }: JsonObject): readonly JsonObject[] {
  return Array.isArray(security) ? (security as unknown[]).filter(isJsonObject) : [];
}

function listNames(names: unknown): readonly string[] {
  return Array.isArray(names) ? (names as unknown[]).filter((name) => typeof name === 'string') : [];
}

function describeScheme(flow: 'authorizationCode' | 'clientCredentials', scopes: readonly string[]): JsonObject {
  const addresses = { authorizationUrl: ANY_ADDRESS, tokenUrl: ANY_ADDRESS };
  const { tokenUrl } = addresses;
  return {
    type: 'oauth2',
    flows: {
      [flow]: {
        ...(flow === 'authorizationCode' ? addresses : { tokenUrl }),
        scopes: Object.fromEntries(scopes.map((scope) => [scope, scope])),
      },
    },
  };
}
