import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

it('the package holds the program, its licence and its schema, and no sources', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' });
  const [{ files }] = JSON.parse(out) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'));
  expect(paths.toSorted()).toEqual(['LICENSE', 'README.md', 'gateway.schema.json', 'package.json']);
});
