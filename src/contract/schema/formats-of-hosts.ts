import { isIPv4, isIPv6 } from 'node:net';
import { domainToUnicode } from 'node:url';

const MAX_HOSTNAME = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
/** A label that stands for one in another script (RFC 5890 §2.3.2.1), which cannot look like one itself. */
const ENCODED = /^xn--/i;
const RESERVED = /^..--/u;

/** RFC 1123 §2.1; a label that stands for one in another script must be right (RFC 5891 §5.4). */
export function isHostname(text: string): boolean {
  return isDomain(text) && text.split('.').every((label) => !ENCODED.test(label) || isEncodedLabel(label));
}

function isDomain(text: string): boolean {
  return text.length <= MAX_HOSTNAME && text.split('.').every((label) => LABEL.test(label));
}

/** Node knows which characters may stand in a name (UTS #46), but not those that this needs or allows in addition. */
const DISALLOWED = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u;

/** Characters that need certain others beside them (RFC 5892 appendix A.3 to A.7). */
const OUT_OF_CONTEXT = [
  /(?<!l)\u00b7|\u00b7(?!l)/u,
  /\u0375(?!\p{Script=Greek})/u,
  /(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u,
  /^[^\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]*\u30fb[^\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]*$/u,
];

function isEncodedLabel(label: string): boolean {
  const decoded = domainToUnicode(label);
  return (
    decoded !== '' &&
    !RESERVED.test(decoded) &&
    !DISALLOWED.test(decoded) &&
    OUT_OF_CONTEXT.every((wrong) => !wrong.test(decoded))
  );
}

/** Of the name and of the host together (RFC 5321 §4.5.3.1). */
const MAX_MAILBOX = 64 + 1 + 255;
const ATOMS = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const QUOTED = /^"(?:[ !#-[\]-~]|\\[ -~])*"$/;

/** A mailbox (RFC 5321 §4.1.2), also one with a quoted name or at an address. */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  const [name, host] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  return (
    text.length <= MAX_MAILBOX && (ATOMS.test(name) || QUOTED.test(name)) && (isDomain(host) || isAddressLiteral(host))
  );
}

function isAddressLiteral(text: string): boolean {
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? '';
  return /^ipv6:/i.test(address) ? isPlainIPv6(address.slice('ipv6:'.length)) : isIPv4(address);
}

/** RFC 4291 §2.2, without the zone that Node would allow. */
export function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}
