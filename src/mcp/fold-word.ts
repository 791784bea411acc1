/**
 * The most characters that fold into one. Only so many of a word are folded for each that counts: the time that marks upon
 * a letter take grows with the square of their number.
 */
const MAX_FOLDED_INTO_ONE = 4;

/**
 * Writes a word of a message as the most forgiving reader has it. Some take capital letters for small ones, end a text
 * at a NUL, pass over the spaces around it, or look at characters by what they stand for.
 *
 * @param longest the characters of the longest word that it could be taken for; one that is too long for that stays as it is
 * @see https://www.unicode.org/reports/tr15/
 */
export function foldWord(word: string, longest: number): string {
  const end = word.indexOf('\0');
  const bare = (end === -1 ? word : word.slice(0, end)).trim();
  return bare.length > longest * MAX_FOLDED_INTO_ONE ? word : bare.normalize('NFKC').toLowerCase();
}
