/**
 * What some readers pass over: accents, control and format characters, halves of characters and what is none, and whatever
 * else is not drawn.
 */
const PASSED_OVER = /[\u0300-\u036F\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** The most units of UTF-16 that fold into one: those of a letter outside the basic plane. */
const MAX_FOLDED_INTO_ONE = 2;

/**
 * The words that decide what a message does, as forgiving readers find them in other words. Some take capital letters for
 * small ones, or two letters for the same because their capitals are; some end a text at a NUL, pass over the spaces around
 * it or over what {@link PASSED_OVER} lists, or look at characters by what they stand for.
 *
 * @see https://www.unicode.org/reports/tr15/
 */
export class Lookalikes {
  readonly #byFolded: ReadonlyMap<string, string>;
  /** The units of the longest word, folded. A word that is far longer is not folded. */
  readonly #longest: number;

  constructor(words: Iterable<string>) {
    this.#byFolded = new Map([...words].map((word) => [fold(word, word.length), word]));
    this.#longest = Math.max(0, ...[...this.#byFolded.keys()].map(({ length }) => length));
  }

  /** The word that some reader takes this one for, which may be the word itself; `undefined` for none. */
  find(word: string): string | undefined {
    const end = word.indexOf('\0');
    return this.#findFolded(word) ?? (end === -1 ? undefined : this.#findFolded(word.slice(0, end)));
  }

  #findFolded(word: string): string | undefined {
    return this.#byFolded.get(fold(word, this.#longest));
  }
}

function fold(word: string, longest: number): string {
  const bare = word.replaceAll(PASSED_OVER, '').trim();
  return bare.length > longest * MAX_FOLDED_INTO_ONE
    ? bare
    : bare.normalize('NFKD').replaceAll(PASSED_OVER, '').trim().toUpperCase().toLowerCase();
}
