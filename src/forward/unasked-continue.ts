import { findParser } from './undici-parser.ts';

/**
 * The status that replaces a 100 (Continue) which nobody asked for; no server sends it, as IANA has not assigned it.
 */
export const UNASKED_CONTINUE = 199;

interface Parser {
  onHeadersComplete: (this: Parser, status: number, upgrade: boolean, shouldKeepAlive: boolean) => number;
}

/**
 * Makes a connection of undici read a 100 that was not asked for as an interim answer, as a client must (RFC 9110
 * §15.2). undici breaks the connection instead, whatever its options, so this function changes its parser. It relies on
 * the name of the method; where it is missing this does nothing, and such an answer breaks the connection. Before a move
 * to another version, see whether undici reads a 100 by itself: then this file can go.
 *
 * @param client undici's client, just connected
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.2
 */
export function tolerateUnaskedContinue(client: object): void {
  const parser = findParser(client) as Parser | undefined;
  const usual = parser?.onHeadersComplete;
  if (parser !== undefined && typeof usual === 'function') {
    parser.onHeadersComplete = (status, upgrade, shouldKeepAlive) =>
      usual.call(parser, status === 100 ? UNASKED_CONTINUE : status, upgrade, shouldKeepAlive);
  }
}
