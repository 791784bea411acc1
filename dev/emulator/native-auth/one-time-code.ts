import { randomInt } from 'node:crypto';
import type { Directory, SentCode } from '../directory.ts';
import { EntraError } from '../entra-error.ts';
import { findUser } from '../world-model.ts';

const LENGTH = 8;
const RESEND_SECONDS = 300;

/** Sends a new code; the answer is the code. */
export function sendCode({ sentCodes }: Directory, to: string, purpose: string): string {
  const code = String(randomInt(10 ** LENGTH)).padStart(LENGTH, '0');
  sentCodes.push({ to, code, purpose, sentAt: new Date().toISOString() });
  return code;
}

/** The codes that were sent to somebody, named by alias, object id or email address; newest first. */
export function findSentCodes({ world, sentCodes }: Directory, name: string): SentCode[] {
  const user = findUser(world, name);
  const addresses = [name, user?.userPrincipalName, user?.mfaEmail];
  return sentCodes.filter(({ to }) => addresses.includes(to)).toReversed();
}

/**
 * Checks the code that a person entered.
 * @throws {EntraError} 50181
 */
export function demandCode(form: URLSearchParams, { code }: { readonly code: string }): void {
  if (form.get('oob') !== code) {
    throw new EntraError(50181);
  }
}

/** The members of an answer that say that a code was sent, and how to ask for it. */
export function describeCodeChallenge(to: string): object {
  return {
    interval: RESEND_SECONDS,
    challenge_type: 'oob',
    binding_method: 'prompt',
    challenge_channel: 'email',
    challenge_target_label: maskEmail(to),
    code_length: LENGTH,
  };
}

/** An address as it is shown to somebody who has not yet proved that it is theirs: `a***e@co**.com`. */
export function maskEmail(address: string): string {
  const [local = '', domain = ''] = address.split('@');
  return `${local.slice(0, 1)}***${local.slice(-1)}@${domain.slice(0, 2)}**${domain.slice(domain.lastIndexOf('.'))}`;
}
