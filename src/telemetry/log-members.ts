/** How many values a member remembers. */
const MAX_KNOWN = 1_000;

/** Writes one member of a line with this value, after a comma. */
export type WriteMember = (value: string | number) => string;

/**
 * Writes the members of an object as they follow other members; nothing for an object without any. The text is in one
 * piece, because each piece of a line costs 10 ns when the line is written.
 */
export function writeMembers(object: object): string {
  const text = JSON.stringify(object).slice(1, -1);
  return text === '' ? '' : [',', text].join('');
}

/**
 * Makes the function that writes a member with few different values, such as the name of an operation: it remembers the
 * first thousand of them (10 ns instead of 60 for a look whether there is something to escape).
 */
export function createMember(name: string): WriteMember {
  const known = new Map<string | number, string>();
  return (value) => known.get(value) ?? add(value);

  function add(value: string | number): string {
    const member = writeMembers({ [name]: value });
    if (known.size < MAX_KNOWN) {
      known.set(value, member);
    }
    return member;
  }
}

/** Everything but visible ASCII, and what JSON escapes of that. */
const NEEDS_CARE = /[^ !#-[\]-~]/;

/** Writes a text as JSON. */
export function quote(text: string): string {
  return NEEDS_CARE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Writes milliseconds to a tenth, an eighth of the time that the text of a fraction takes. */
export function writeTenths(milliseconds: number): string {
  const tenths = Math.round(milliseconds * 10);
  const rest = tenths % 10;
  const whole = (tenths - rest) / 10;
  return rest === 0 ? String(whole) : `${whole}.${rest}`;
}
