/** Stands for a 100 (Continue) that nobody asked for; no server sends it, because IANA has given it no meaning. */
export const UNASKED_CONTINUE = 199;

interface Parser {
  onHeadersComplete: (this: Parser, status: number, upgrade: boolean, shouldKeepAlive: boolean) => number;
}

/**
 * Lets a connection of undici take a 100 that was not asked for as the interim answer that it is (RFC 9110 §15.2: a client
 * must be able to read it). undici breaks the connection instead, whatever its options, so this reaches into its parser;
 * where that is built otherwise, nothing happens and undici has its way: such an answer is then a broken connection. It
 * rests on undici 7's symbols `socket` and `parser` and on the name of that method; a move to another version looks whether
 * undici reads a 100 by itself, and then drops this file.
 *
 * @param client undici's client, just connected
 */
export function tolerateUnaskedContinue(client: object): void {
  const parser = readSymbol(readSymbol(client, 'socket'), 'parser') as Parser | undefined;
  const usual = parser?.onHeadersComplete;
  if (parser !== undefined && typeof usual === 'function') {
    parser.onHeadersComplete = (status, upgrade, shouldKeepAlive) =>
      usual.call(parser, status === 100 ? UNASKED_CONTINUE : status, upgrade, shouldKeepAlive);
  }
}

function readSymbol(owner: unknown, description: string): unknown {
  if (typeof owner !== 'object' || owner === null) {
    return undefined;
  }
  const symbol = Object.getOwnPropertySymbols(owner).find((candidate) => candidate.description === description);
  return symbol && (owner as Record<symbol, unknown>)[symbol];
}
