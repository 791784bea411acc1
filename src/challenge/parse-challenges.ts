/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** As it was written; compare without case. */
  readonly scheme: string;
  /** Names in lower case; of a repeated name, the first value. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+\-.^`|~\w]+/y;
const TOKEN68 = /[\w\-.~+/]+=*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
/** More than RFC 9110 allows without quotes: addresses and base64 are seen so. */
const BARE = /[^\s,"=][^\s,"]*/y;
const SPACES = /[ \t]*/y;
const COMMAS = /[ \t,]*/y;

/**
 * Reads challenges by the grammar of RFC 9110 §11.6.1: several schemes in one header, parameters in any order,
 * tokens or quoted strings, commas inside quotes. Reading ends at the first place that no grammar explains.
 *
 * @example two challenges: Negotiate without parameters, Bearer with `error` and `claims`
 * Negotiate, Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="
 *
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

/** What follows a scheme is a parameter, or a token68 that says nothing to us, or nothing. */
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

/** `BWS "=" BWS ( token / quoted-string )`; goes back to where it began when that is not what comes. */
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

/** Walks through a text by sticky patterns. */
class Scanner {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes what a sticky pattern matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text)?.[0];
    this.position += match?.length ?? 0;
    return match;
  }

  takeText(text: string): boolean {
    const isHere = this.#text.startsWith(text, this.position);
    this.position += isHere ? text.length : 0;
    return isHere;
  }
}
