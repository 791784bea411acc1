import { isOptional, scopesForUsers, type Access, type Requirement } from '../../session/requirement.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { joinAccess, readAccess, type SecuritySurroundings } from './access.ts';
import { readAuthContext } from './auth-context.ts';
import type { Operation } from './operation.ts';

/** An MCP server of the contract. Its operations are ordinary ones; this is what they have in common. */
export interface McpServer {
  /** The path by which clients reach it, below `server.publicUrl` and without a slash at the end. */
  readonly path: string;
  /** The name of the downstream in gateway.yaml. */
  readonly service: string;
  /**
   * What a client asks Entra for to connect: the scopes of the first requirement for users, as the contract writes them.
   * Empty where only apps or anyone may connect.
   */
  readonly scopes: readonly string[];
  /** The tools that have rules of their own, in the order of the contract. */
  readonly tools: readonly McpTool[];
}

/** A tool of an MCP server that asks for more than the server does. */
export interface McpTool {
  readonly name: string;
  /** The connect scopes and those of the tool: what a client asks Entra for to call it. */
  readonly scopes: readonly string[];
  /** The authentication context of the tool itself; absent where it has none. */
  readonly authContext?: string;
}

/** An MCP server, and the operations that its tools are. */
export interface CompiledMcpServer {
  readonly server: McpServer;
  /** By the names of the tools; absent where the contract has no rules for tools, so that no body is looked at. */
  readonly tools?: ReadonlyMap<string, Operation>;
}

/**
 * What clients send as `resource` when they ask for a token for the server (RFC 8707).
 *
 * @param publicUrl how clients reach the gateway, without a slash at the end; its path counts
 * @see https://www.rfc-editor.org/rfc/rfc8707#section-2
 */
export function resourceOf(publicUrl: string, { path }: Pick<McpServer, 'path'>): string {
  return `${publicUrl}${path}`;
}

/**
 * What counts for the answers of a server: a stream of messages is silent while there are none, so that only a time that
 * somebody chose ends it.
 */
export function letStreamsRest({ timeouts }: Operation): Pick<Operation, 'timeouts'> {
  return timeouts?.idleMs === undefined ? { timeouts: { ...timeouts, endlessStreams: true } } : { timeouts };
}

/** What the rules of a server are read with. */
export type McpSurroundings = Omit<SecuritySurroundings, 'isFromDeployment' | 'bearerScopes' | 'bearerRoles'>;

/** What a path of an MCP server may hold: it stands in the challenges, and clients compare it letter by letter. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~:@!$+-]+)+$/;

/**
 * Reads an MCP server, and makes of each tool with rules an operation that asks for what the server asks, and for more.
 *
 * @param extension the value of `x-mcp-server`, whose keys are known to be allowed
 * @param operation the POST that clients send their messages with
 */
export function compileMcpServer(
  extension: JsonObject,
  operation: Operation,
  surroundings: McpSurroundings,
): CompiledMcpServer {
  const { path, service, access } = operation;
  checkPath(path, surroundings.fault);
  if (operation.authContext !== undefined && access !== 'anonymous' && isOptional(access)) {
    surroundings.fault(
      'has x-mcp-server with an x-auth-context, and lets in callers without a token, who have none; leave {} out of its security, or give the context to tools',
    );
  }
  const written = extension['tools'];
  const asking = isJsonObject(written) ? compileTools(written, operation, surroundings) : undefined;
  const server: McpServer = {
    path,
    service,
    scopes: scopesForUsers(access),
    tools: [...(asking ?? [])].map(([name, tool]) => ({
      name,
      scopes: scopesForUsers(tool.access),
      ...(tool.authContext !== undefined && { authContext: tool.authContext }),
    })),
  };
  const tools =
    asking &&
    new Map([...asking].map(([name, tool]) => [name, { ...tool, ...letStreamsRest(tool), mcpServer: server }]));
  return { server, ...(tools && { tools }) };
}

function checkPath(path: string, fault: (message: string) => void): void {
  if (path.endsWith('/')) {
    fault(
      'has x-mcp-server at a path with a slash at its end, which the resource of its tokens never has; write the path without it',
    );
  } else if (!PLAIN_PATH.test(path)) {
    fault(
      'has x-mcp-server at a path that challenges cannot name; allowed: letters, digits and - . _ ~ : @ ! $ + between slashes',
    );
  }
}

function compileTools(
  written: JsonObject,
  operation: Operation,
  surroundings: McpSurroundings,
): ReadonlyMap<string, Operation> {
  const { access } = operation;
  if (access === 'anonymous') {
    surroundings.fault('has rules for tools but is anonymous; write `security: [{}, …]` for a token that is optional');
  }
  return new Map(
    Object.entries(written).map(([name, rules]) => {
      const tool = isJsonObject(rules) ? rules : {};
      const faultOfTool = (message: string): void => surroundings.fault(`${message}, for the tool ${name}`);
      const own = tool['security'] === undefined ? undefined : readToolAccess(tool, surroundings, faultOfTool);
      const context = tool['x-auth-context'];
      const joined = own === undefined || access === 'anonymous' ? access : joinAccess(access, own);
      // Whoever calls without a token has no context.
      const needed = context === undefined || joined === 'anonymous' ? joined : joined.filter(isSomebody);
      if (needed.length === 0 && access.length > 0) {
        faultOfTool('has security that no caller meets who may connect');
      }
      const authContext =
        context === undefined
          ? undefined
          : readAuthContext({ value: context, written: 'x-auth-context' }, needed, faultOfTool);
      // The context of the server was asked for before the body was read.
      const { authContext: _ofServer, ...rest } = operation;
      return [name, { ...rest, tool: name, access: needed, ...(authContext !== undefined && { authContext }) }];
    }),
  );
}

function isSomebody({ caller }: Requirement): boolean {
  return caller !== 'anyone';
}

function readToolAccess(tool: JsonObject, surroundings: McpSurroundings, fault: (message: string) => void): Access {
  const access = readAccess(tool['security'], {
    ...surroundings,
    bearerScopes: undefined,
    bearerRoles: undefined,
    fault,
  });
  if (access === 'anonymous') {
    fault('has security that asks for nothing; leave it out');
  }
  return access;
}
