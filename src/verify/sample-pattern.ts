const CLASSES: Readonly<Record<string, string>> = { d: '0', w: 'a', s: ' ' };

/**
 * Makes a short text that matches a regular expression, for the kinds that contracts usually have: literals, classes,
 * groups, alternatives and quantifiers.
 *
 * @returns `undefined` for any other expression
 */
export function samplePattern(pattern: string): string | undefined {
  const reader = new SamplePatternReader(pattern);
  const text = reader.readAlternatives();
  return reader.isAtEnd && new RegExp(pattern, 'u').test(text) ? text : undefined;
}

/** Reads a pattern from left to right and writes the least that it asks for. */
class SamplePatternReader {
  #at = 0;
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#pattern.length;
  }

  /** The first of `a|b|c`. */
  readAlternatives(): string {
    const first = this.#readSequence();
    while (this.#take(/\|/y) !== undefined) {
      this.#readSequence();
    }
    return first;
  }

  #readSequence(): string {
    let text = '';
    for (let piece = this.#readPiece(); piece !== undefined; piece = this.#readPiece()) {
      text += piece.repeat(this.#readLeastCount());
    }
    return text;
  }

  #readPiece(): string | undefined {
    if (this.#take(/\((?:\?:)?(?!\?)/y) !== undefined) {
      const inner = this.readAlternatives();
      return this.#take(/\)/y) === undefined ? undefined : inner;
    }
    if (this.#take(/[\^$]/y) !== undefined) {
      return '';
    }
    const members = this.#take(/\[(?!\^)(?:\\.|[^\]\\])+\]/y);
    if (members !== undefined) {
      return firstMember(members.slice(1));
    }
    const literal = this.#take(/\\[^1-9bBpPuxck]|[^\\|()[\]{}*+?.^$]|\./y);
    return literal === undefined ? undefined : unescape(literal === '.' ? 'a' : literal);
  }

  #readLeastCount(): number {
    const quantifier = this.#take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (quantifier === undefined || quantifier.startsWith('+')) {
      return 1;
    }
    return Number(/^\{(\d+)/.exec(quantifier)?.[1] ?? 0);
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const taken = token.exec(this.#pattern)?.[0];
    this.#at += taken?.length ?? 0;
    return taken;
  }
}

function firstMember(members: string): string {
  return unescape(members.startsWith('\\') ? members.slice(0, 2) : members.slice(0, 1));
}

function unescape(piece: string): string {
  const letter = piece.slice(-1);
  return piece.length === 1 ? piece : (CLASSES[letter] ?? letter);
}
