/** What a regular expression says, as far as it decides whether a text matches. */
export type PatternNode =
  | { readonly kind: 'character'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly fewest: number; readonly most: number }
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' | 'word' | 'inside' }
  | {
      readonly kind: 'look';
      readonly direction: 'ahead' | 'behind';
      readonly isNegative: boolean;
      readonly part: PatternNode;
    };

const ASCII = 128;

/** What stands for characters beyond ASCII in a class, or may do so; others are not looked at more closely. */
const BEYOND_ASCII = /^\.$|^\[\^|[^\p{ASCII}]|\\[sSWDpPuxc]/u;

/** The characters that a class, an escape, a dot or a plain character stands for. */
export class CharacterSet {
  /** True when it may hold characters beyond ASCII. */
  readonly reachesBeyondAscii: boolean;
  readonly #ascii = new Uint8Array(ASCII);
  readonly #expression: RegExp;

  /** @param source one character of a regular expression; JavaScript itself knows what it stands for */
  constructor(source: string, flags: string) {
    this.#expression = new RegExp(`^(?:${source})$`, flags);
    this.reachesBeyondAscii = BEYOND_ASCII.test(source);
    for (let code = 0; code < ASCII; code += 1) {
      this.#ascii[code] = this.#expression.test(String.fromCodePoint(code)) ? 1 : 0;
    }
  }

  /** True when no character is in both; some that only seem to share one beyond ASCII count as well. */
  isApartFrom(other: CharacterSet): boolean {
    const sharesAscii = this.#ascii.some((isIn, code) => isIn === 1 && other.#ascii[code] === 1);
    return !sharesAscii && !(this.reachesBeyondAscii && other.reachesBeyondAscii);
  }

  has(code: number): boolean {
    return code < ASCII ? this.#ascii[code] === 1 : this.#expression.test(String.fromCodePoint(code));
  }
}

/** How a text is cut into characters: with the flag `u` into code points, without it into UTF-16 units. */
export type PatternFlags = 'u' | '';

const QUANTIFIER = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/y;
const ESCAPE = {
  u: /\\(?:u\{[0-9a-f]+\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z]|p\{[^}]*\}|.)/isuy,
  '': /\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z]|.)/isy,
} as const;
const CLASS = /\[(?:[^\]\\]|\\.)*\]/sy;
const GROUP = /\((?:\?(?:(:)|(=)|(!)|(<=)|(<!)|<[^>=!]+>|))?/y;

/**
 * Reads a regular expression that JavaScript takes (ECMA-262 §22.2.1).
 *
 * @throws {Error} for what cannot be looked for in linear time
 */
export function parsePattern(source: string, flags: PatternFlags): PatternNode {
  return new PatternReader(source, flags).readChoice();
}

class PatternReader {
  readonly #source: string;
  readonly #flags: PatternFlags;
  readonly #sets = new Map<string, CharacterSet>();
  #at = 0;

  constructor(source: string, flags: PatternFlags) {
    this.#source = source;
    this.#flags = flags;
  }

  readChoice(): PatternNode {
    const parts = [this.#readSequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      parts.push(this.#readSequence());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'choice', parts };
  }

  #readSequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')') {
      parts.push(this.#readQuantified(this.#readTerm()));
    }
    return { kind: 'sequence', parts };
  }

  #readTerm(): PatternNode {
    const character =
      this.#flags === 'u'
        ? String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0)
        : this.#source.charAt(this.#at);
    switch (character) {
      case '^':
        this.#at += 1;
        return { kind: 'edge', at: 'start' };
      case '$':
        this.#at += 1;
        return { kind: 'edge', at: 'end' };
      case '(':
        return this.#readGroup();
      case '[':
        return this.#toCharacter(this.#take(CLASS)?.[0] ?? '');
      case '\\':
        return this.#readEscape();
      default:
        this.#at += character.length;
        return this.#toCharacter(character);
    }
  }

  #readGroup(): PatternNode {
    const [opening = '', , ahead, notAhead, behind, notBehind] = this.#take(GROUP) ?? [];
    if (opening === '(?') {
      throw new Error('has a group of a kind that is not supported');
    }
    const part = this.readChoice();
    // The closing bracket.
    this.#at += 1;
    if (ahead !== undefined || notAhead !== undefined) {
      return { kind: 'look', direction: 'ahead', isNegative: notAhead !== undefined, part };
    }
    if (behind !== undefined || notBehind !== undefined) {
      return { kind: 'look', direction: 'behind', isNegative: notBehind !== undefined, part };
    }
    return part;
  }

  #readEscape(): PatternNode {
    const escape = this.#take(ESCAPE[this.#flags])?.[0] ?? '';
    if (escape === String.raw`\b` || escape === String.raw`\B`) {
      return { kind: 'edge', at: escape === String.raw`\b` ? 'word' : 'inside' };
    }
    if (/^\\(?:[1-9k])/.test(escape)) {
      throw new Error('refers back to a group, which cannot be looked for in linear time; write it without');
    }
    return this.#toCharacter(escape);
  }

  #readQuantified(part: PatternNode): PatternNode {
    const found = this.#take(QUANTIFIER);
    if (found === undefined) {
      return part;
    }
    const [quantifier = '', least, comma, most] = found;
    switch (quantifier.charAt(0)) {
      case '*':
        return { kind: 'repeat', part, fewest: 0, most: Number.POSITIVE_INFINITY };
      case '+':
        return { kind: 'repeat', part, fewest: 1, most: Number.POSITIVE_INFINITY };
      case '?':
        return { kind: 'repeat', part, fewest: 0, most: 1 };
      default: {
        const unbounded = comma !== undefined && most === '';
        return {
          kind: 'repeat',
          part,
          fewest: Number(least),
          most: unbounded ? Number.POSITIVE_INFINITY : Number(comma === undefined ? least : most),
        };
      }
    }
  }

  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#source) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #toCharacter(text: string): PatternNode {
    let set = this.#sets.get(text);
    if (set === undefined) {
      set = new CharacterSet(this.#flags === '' && /^[{}\]]$/.test(text) ? `\\${text}` : text, this.#flags);
      this.#sets.set(text, set);
    }
    return { kind: 'character', set };
  }
}
