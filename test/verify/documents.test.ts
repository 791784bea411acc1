import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { TOKENS } from '../../src/verify/tokens.ts';

it('the README says what each token of a verification holds', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const { variable, holds } of Object.values(TOKENS)) {
    expect(readme).toMatch(new RegExp(`${variable}=… +# ${holds}\n`));
  }
});
