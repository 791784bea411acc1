import { toOAuthError } from '../../entra/oauth-error.ts';
import { GatewayError, type FailureFacts } from '../../failures.ts';
import type { ErrorAnswer } from '../../http/answer-failure.ts';

/** A refusal that has a name of OAuth, which clients act on. */
export class OAuthRefusal extends GatewayError {
  /** The value of `error`. */
  readonly error: string;

  /**
   * @param error a name of RFC 6749 §4.1.2.1 or §5.2, of RFC 7591 §3.2.2 or of RFC 8707 §2, or what Entra answered
   * @param detail our own text
   */
  constructor(error: string, detail: string, facts: Omit<FailureFacts, 'detail'> = {}) {
    super('invalid_request', { ...facts, detail, log: { oauthError: error, ...facts.log } });
    this.error = error;
  }
}

/**
 * Writes a failure in the words of a token endpoint.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function toOAuthAnswer(failure: GatewayError): ErrorAnswer {
  const { suberror, claims } = failure.facts;
  return {
    status: failure.rule.status,
    body: {
      ...toOAuthError(failure),
      ...(failure instanceof OAuthRefusal && { error: failure.error }),
      ...(suberror !== undefined && { suberror }),
      ...(claims !== undefined && { claims }),
    },
  };
}

/**
 * Writes a failure as a page, because who sees it is a person who was sent here by a program. It is never a redirect: the
 * address that the program named has not been checked by anyone.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-4.11
 */
export function toRefusalPage(failure: GatewayError): ErrorAnswer {
  const name = failure instanceof OAuthRefusal ? failure.error : toOAuthError(failure).error;
  const body = [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<title>You cannot be signed in</title>',
    '<h1>You cannot be signed in</h1>',
    ...(isForNow(failure)
      ? ['<p>Too many requests came at once. Go back in a minute and try again.</p>']
      : [
          `<p>The program that sent you here asked for something that this API does not allow: ${escapeHtml(failure.message)}</p>`,
          `<p>Tell its makers or your administrator: <code>${escapeHtml(name)}</code></p>`,
        ]),
    '</html>',
    '',
  ];
  return { status: failure.rule.status, body: body.join('\n') };
}

/** True for a failure that waiting ends. */
function isForNow({ rule: { status } }: GatewayError): boolean {
  return status === 429 || status === 503;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
