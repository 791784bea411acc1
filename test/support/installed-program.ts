import { describe, expect, it } from '@jest/globals';

/** A `describe` for tests that need a program: without it they are skipped by name, but fail where CI is set. */
export function describeWith(program: string, isInstalled: boolean, name: string, tests: () => void): void {
  if (isInstalled) {
    describe(name, tests);
  } else if (process.env['CI'] === undefined) {
    describe.skip(`${name} (needs ${program})`, tests);
  } else {
    it(`${name} (needs ${program})`, () => expect(program).toBe('installed'));
  }
}
