import { describe, expect, it } from '@jest/globals';
import {
  contextClaims,
  isAccessTokenClaims,
  isClaimsRequest,
  MAX_CLAIMS_BYTES,
} from '../../src/syntax/claims-request.ts';

/** A claims request of exactly so many bytes. */
function claimsOf(bytes: number): string {
  const around = '{"access_token":{"a":""}}';
  return around.replace('""', `"${'x'.repeat(bytes - around.length)}"`);
}

describe('which texts are claims requests?', () => {
  it.each([
    [contextClaims('c1'), true, true],
    [claimsOf(MAX_CLAIMS_BYTES), true, true],
    ['{"id_token":{"acr":null}}', true, false],
    ['{"access_token":{},"id_token":{}}', true, false],
    ['{"access_token":"x"}', true, false],
    [claimsOf(MAX_CLAIMS_BYTES + 1), false, false],
    ['{}', false, false],
    ['[{"access_token":{}}]', false, false],
    ['null', false, false],
    ['access_token', false, false],
  ])('%.40s: %s, and for an access token alone: %s', (text, isClaims, isForAccessToken) => {
    expect([isClaimsRequest(text), isAccessTokenClaims(text)]).toEqual([isClaims, isForAccessToken]);
  });
});
