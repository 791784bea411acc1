import type { McpServer } from './operations/mcp-server.ts';
import type { Operation } from './operations/operation.ts';

/**
 * Tells of MCP servers whose scopes end in the same name. Tokens name only this end (`scp`), and all servers of a gateway
 * have one audience, so a token for one of them would do for the other.
 *
 * @param operations those of the whole contract
 */
export function tellSharedScopes(
  operations: readonly Operation[],
  fault: (operation: Operation, message: string) => void,
): void {
  const owners = new Map<string, McpServer>();
  for (const [server, operation] of firstOperations(operations)) {
    for (const name of namesOf(operation)) {
      const owner = owners.get(name);
      if (owner === undefined) {
        owners.set(name, server);
      } else {
        fault(
          operation,
          `asks for a scope that ends in ${name}, as the MCP server ${owner.path} does, so that a token for one would do for both; give each server names of its own`,
        );
      }
    }
  }
}

/** One operation of each server, because all of them ask for the same. */
function firstOperations(operations: readonly Operation[]): ReadonlyMap<McpServer, Operation> {
  const first = new Map<McpServer, Operation>();
  for (const operation of operations) {
    const { mcpServer } = operation;
    if (mcpServer !== undefined && !first.has(mcpServer)) {
      first.set(mcpServer, operation);
    }
  }
  return first;
}

/** The scopes of a server and its tools, as tokens name them. */
function namesOf({ access, tools }: Operation): ReadonlySet<string> {
  const accesses = [access, ...[...(tools?.values() ?? [])].map((tool) => tool.access)];
  return new Set(
    accesses
      .flatMap((each) => (each === 'anonymous' ? [] : each))
      .flatMap((way) => (way.caller === 'user' ? way.claimed : [])),
  );
}
