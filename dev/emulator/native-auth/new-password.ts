import { EntraError } from '../entra-error.ts';

const BANNED = ['password', 'qwerty', '12345678', 'contoso'];
const CHARACTER_CLASSES = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/];

/** The rules of Entra in the order in which they are looked at, by the suberror of one that is broken. */
const RULES: readonly {
  readonly suberror: string;
  readonly text: string;
  readonly isBroken: (password: string, present: string | undefined) => boolean;
}[] = [
  {
    suberror: 'password_too_short',
    text: 'The new password has fewer than 8 characters.',
    isBroken: (password) => password.length < 8,
  },
  {
    suberror: 'password_too_long',
    text: 'The new password has more than 256 characters.',
    isBroken: (password) => password.length > 256,
  },
  {
    suberror: 'password_is_invalid',
    text: 'The new password has characters that are not allowed.',
    isBroken: (password) => /[^ -~]/.test(password),
  },
  {
    suberror: 'password_banned',
    text: 'The new password has a word or a pattern that is banned.',
    isBroken: (password) => BANNED.some((word) => password.toLowerCase().includes(word)),
  },
  {
    suberror: 'password_too_weak',
    text: 'The new password is too weak.',
    isBroken: (password) => CHARACTER_CLASSES.filter((letters) => letters.test(password)).length < 3,
  },
  {
    suberror: 'password_recently_used',
    text: 'The new password was used before.',
    isBroken: (password, present) => password === present,
  },
];

/**
 * A password that somebody wants to have from now on.
 *
 * @param name the parameter that holds it
 * @param present the password that it takes the place of
 * @throws {EntraError} 399246 with a suberror that names the rule which it breaks
 */
export function demandNewPassword(form: URLSearchParams, name: string, present?: string): string {
  const password = form.get(name) ?? '';
  const broken = RULES.find(({ isBroken }) => isBroken(password, present));
  if (broken) {
    throw new EntraError(399246, broken);
  }
  return password;
}
