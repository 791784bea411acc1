import { expect, it } from '@jest/globals';
import { ENTRA_CODES } from '../../../src/exchange/entra-codes.ts';
import { CLIENT_REMEDIES } from '../../../src/mcp/facade/token-answer.ts';

it.each(Object.keys(CLIENT_REMEDIES))('the meaning of AADSTS%s stands in the table of the codes', (code) => {
  expect(ENTRA_CODES.get(Number(code))).toMatchObject({ class: 'misconfigured' });
});
