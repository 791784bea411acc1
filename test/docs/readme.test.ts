import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { toJsonSchema } from '../../src/config/schema.ts';
import { codeOf, FAILURES, type Failure } from '../../src/failures.ts';

/** A file of the repository's top folder. */
function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

describe('the documents that repeat what the code knows', () => {
  it('the README lists every failure with its status, and no other', () => {
    const rows = [...read('README.md').matchAll(/^\| (\d{3}) +\| `(\w+)` /gm)].map(
      ([, status, code]) => `${status} ${code}`,
    );
    const failures = (Object.keys(FAILURES) as Failure[]).map((name) => `${FAILURES[name].status} ${codeOf(name)}`);
    expect(rows.toSorted()).toEqual([...new Set(failures)].toSorted());
  });

  it('gateway.schema.json is what the schema says (npm run schema)', async () => {
    const fresh = await format(JSON.stringify(toJsonSchema()), { parser: 'json', printWidth: 120 });
    expect(read('gateway.schema.json')).toBe(fresh);
  });

  it.each(['README.md', 'docs/architecture.md'])('the links of %s lead somewhere', (name) => {
    const folder = name.includes('/') ? `${name.slice(0, name.lastIndexOf('/'))}/` : '';
    const links = [...read(name).matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, link]) => `${folder}${link}`);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      expect(() => read(link)).not.toThrow();
    }
  });
});
