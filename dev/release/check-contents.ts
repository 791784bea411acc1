import { judge, type Finding } from './finding.ts';

/** What stands beside `dist/` in the package. */
const BESIDE_DIST = ['CHANGELOG.md', 'LICENSE', 'README.md', 'gateway.schema.json', 'package.json'];

/** What the documentation page is made of: its own files, and those of Swagger UI. */
const PAGE_FILE = /^dist\/documentation\/(?:page|swagger-ui)\/[\w.-]+$/;

/**
 * Compares the files of the package with the rule for them: each module of `src/` as program and types, the documentation
 * page, what says which build it is, and {@link BESIDE_DIST}. Anything else is a fault, and so is anything that is missing.
 *
 * @param paths the files of the package
 * @param modules the TypeScript files of `src/`, relative to it
 */
export function checkContents(paths: readonly string[], modules: readonly string[]): Finding {
  const programs = modules.flatMap((name) => ['.js', '.d.ts'].map((end) => `dist/${name.replace(/\.ts$/, end)}`));
  const required = [...BESIDE_DIST, 'dist/build.json', ...programs];
  const allowed = new Set(required);
  const found = new Set(paths);
  const foreign = paths.filter((path) => !allowed.has(path) && !(PAGE_FILE.test(path) && !path.endsWith('.map')));
  const missing = required.filter((path) => !found.has(path));
  return judge(
    'contents',
    [
      ...foreign.map((path) => `${path} does not belong into the package: see "files" of package.json.`),
      ...missing.map((path) => `${path} is missing: see "files" of package.json and the script "build".`),
    ],
    `${paths.length} files: dist, its types, the schema, README, LICENSE and CHANGELOG`,
  );
}
