/**
 * Finds the parser that reads the answers on a connection of undici. It is behind the symbols `socket` and `parser` of
 * undici 7, which it promises nobody.
 *
 * @param client undici's client, just connected
 * @returns `undefined` where another version keeps it elsewhere, and for a pool
 */
export function findParser(client: object): object | undefined {
  const parser = readSymbol(readSymbol(client, 'socket'), 'parser');
  return typeof parser === 'object' && parser !== null ? parser : undefined;
}

function readSymbol(owner: unknown, description: string): unknown {
  if (typeof owner !== 'object' || owner === null) {
    return undefined;
  }
  const symbol = Object.getOwnPropertySymbols(owner).find((candidate) => candidate.description === description);
  return symbol && (owner as Record<symbol, unknown>)[symbol];
}
