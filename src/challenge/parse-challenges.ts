/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** The scheme as it was written; compare it without case. */
  readonly scheme: string;
  /** By name in lower case; a repeated name has its first value. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+\-.^`|~\w]+/y;
const TOKEN68 = /[\w\-.~+/]+=*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
/** A value without quotes. RFC 9110 allows only a token here, but servers write addresses and base64 in this way. */
const BARE = /[^\s,"=][^\s,"]*/y;
const SPACES = /[ \t]*/y;
const COMMAS = /[ \t,]*/y;

/**
 * Parses a `WWW-Authenticate` header: several challenges in one header, parameters in any order, tokens or quoted
 * strings, commas inside quotes. Parsing ends at the first place that the grammar does not allow, and what was read so
 * far is returned. The time is linear in the length of the header.
 *
 * @example Two challenges: `Negotiate` without parameters, and `Bearer` with `realm`, `error` and `claims`
 * WWW-Authenticate: Negotiate, Bearer realm="", error="insufficient_claims",
 *   claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19"
 *
 * @param header the value of the header, such as `Negotiate, Bearer …`
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string): Challenge[] {
  const scanner = new Scanner(header);
  const challenges: Challenge[] = [];
  let parameters: Map<string, string> | undefined;
  for (scanner.take(COMMAS); ; scanner.take(COMMAS)) {
    const word = scanner.take(TOKEN);
    if (word === undefined) {
      return challenges;
    }
    const value = parameters && takeValue(scanner);
    if (parameters !== undefined && value !== undefined) {
      remember(parameters, word, value);
    } else {
      parameters = new Map();
      challenges.push({ scheme: word, parameters });
      takeFirstParameter(scanner, parameters);
    }
  }
}

/** Takes what follows a scheme: a parameter, or a token68, which nobody here needs, or nothing. */
function takeFirstParameter(scanner: Scanner, parameters: Map<string, string>): void {
  if ((scanner.take(SPACES) ?? '') === '') {
    return;
  }
  const start = scanner.position;
  const name = scanner.take(TOKEN);
  const value = name === undefined ? undefined : takeValue(scanner);
  if (name !== undefined && value !== undefined) {
    remember(parameters, name, value);
    return;
  }
  scanner.position = start;
  scanner.take(TOKEN68);
}

function remember(parameters: Map<string, string>, name: string, value: string): void {
  const lower = name.toLowerCase();
  if (!parameters.has(lower)) {
    parameters.set(lower, value);
  }
}

/**
 * Takes `BWS "=" BWS ( token / quoted-string )`, the rest of a parameter after its name. When something else follows,
 * takes nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.2
 */
function takeValue(scanner: Scanner): string | undefined {
  const start = scanner.position;
  scanner.take(SPACES);
  if (scanner.takeText('=')) {
    scanner.take(SPACES);
    const quoted = scanner.take(QUOTED);
    if (quoted !== undefined) {
      return quoted.slice(1, -1).replaceAll(/\\(.)/gs, '$1');
    }
    const bare = scanner.take(BARE);
    if (bare !== undefined) {
      return bare;
    }
  }
  scanner.position = start;
  return undefined;
}

/** A text, and the position up to which it has been read. */
class Scanner {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes what a sticky pattern matches at the position; `undefined` when it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text)?.[0];
    this.position += match?.length ?? 0;
    return match;
  }

  /** Takes this very text at the position; false when it is not there. */
  takeText(text: string): boolean {
    const isHere = this.#text.startsWith(text, this.position);
    this.position += isHere ? text.length : 0;
    return isHere;
  }
}
