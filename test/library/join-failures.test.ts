import { expect, it } from '@jest/globals';
import { GatewayError } from '../../src/failures.ts';
import { joinFailures } from '../../src/library/join-failures.ts';

/** A refusal for want of consent, with the page that asks for it. */
function lackOf(...scopes: readonly string[]): GatewayError {
  const consentUri = `https://login.example/authorize?client_id=gateway&scope=${encodeURIComponent(scopes.join(' '))}`;
  return new GatewayError('consent_required', { scopes, consentUri });
}

it.each<[what: string, failures: readonly (readonly string[])[], joined: readonly string[]]>([
  [
    'scopes of several resources become one page',
    [['https://graph.example/Mail.Read'], ['api://orders/Read']],
    ['https://graph.example/Mail.Read', 'api://orders/Read'],
  ],
  [
    '.default stands alone, so the first page stands',
    [['api://orders/.default'], ['api://stock/Read']],
    ['api://orders/.default'],
  ],
  ['.default joins no other page', [['api://stock/Read'], ['api://orders/.default']], ['api://stock/Read']],
  [
    'a third is joined where the second is not',
    [['api://stock/Read'], ['api://orders/.default'], ['api://mail/Send']],
    ['api://stock/Read', 'api://mail/Send'],
  ],
  ['the same .default is one', [['api://orders/.default'], ['api://orders/.default']], ['api://orders/.default']],
])('%s', (_what, failures, joined) => {
  const [first, ...others] = failures.map((scopes) => lackOf(...scopes)) as [GatewayError, ...GatewayError[]];
  const { scopes, consentUri = '' } = joinFailures(first, others).facts;
  expect([scopes, new URL(consentUri).searchParams.get('scope')]).toEqual([joined, joined.join(' ')]);
});
