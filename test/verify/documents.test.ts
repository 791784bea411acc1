import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { TOKENS } from '../../src/verify/tokens.ts';

it('docs/verify.md says what each token of a verification holds', () => {
  const page = readFileSync(new URL('../../docs/verify.md', import.meta.url), 'utf8');
  for (const { variable, holds } of Object.values(TOKENS)) {
    expect(page).toMatch(new RegExp(`${variable}=… +# ${holds}\n`));
  }
});
