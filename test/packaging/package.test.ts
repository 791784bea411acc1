import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeInstalledLibrary } from './installed-library.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tsc = join(root, 'node_modules/.bin/tsc');

interface Manifest {
  readonly private?: boolean;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

describe('the package, built afresh from the sources', () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  let paths: readonly string[];
  let tarball: string;

  beforeAll(() => {
    for (const { name } of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile())) {
      cpSync(join(root, name), join(folder, name));
    }
    mkdirSync(join(folder, 'dev'));
    cpSync(join(root, 'dev/write-build.js'), join(folder, 'dev/write-build.js'));
    execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], { cwd: root });
    execFileSync(process.execPath, ['dev/write-build.js', 'dist'], { cwd: folder });
    execFileSync(process.execPath, ['dev/copy-page.js', join(folder, 'dist')], { cwd: root });
    const out = execFileSync('npm', ['pack', '--json', '--ignore-scripts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const [{ files, filename }] = JSON.parse(out) as [{ files: { path: string }[]; filename: string }];
    paths = files.map(({ path }) => path);
    tarball = join(folder, filename);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('may be published', () => {
    expect(manifest.private).toBeUndefined();
    expect(manifest.license).toBe('MIT');
    expect(manifest.engines.node).toBe('>=20.19');
  });

  it('holds the program, its licence, its schema, its README and its CHANGELOG, and no sources', () => {
    const others = paths.filter((path) => !path.startsWith('dist/'));
    expect(others.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'gateway.schema.json', 'package.json']);
  });

  it('holds the documentation page once, with what it needs of Swagger UI and the terms of that', () => {
    const found = paths.filter((path) => isPage(path)).map((path) => path.slice('dist/documentation/'.length));
    expect(found.toSorted()).toEqual([
      'page/adapt-document.js',
      'page/icon.svg',
      'page/index.html',
      'page/page.css',
      'page/page.js',
      'swagger-ui/LICENSE',
      'swagger-ui/NOTICE',
      'swagger-ui/oauth2-redirect.html',
      'swagger-ui/oauth2-redirect.js',
      'swagger-ui/swagger-ui-bundle.js',
      'swagger-ui/swagger-ui-bundle.js.LICENSE.txt',
      'swagger-ui/swagger-ui.css',
    ]);
  });

  it('needs no package that runs a script when it is installed', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; hasInstallScript?: boolean }>;
    };
    const shipped = Object.entries(packages).filter(([, { dev = false }]) => !dev);
    expect(shipped.filter(([name, { hasInstallScript }]) => name !== '' && hasInstallScript === true)).toEqual([]);
  });

  it('holds of each module the program and its types, and nothing else', () => {
    const modules = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `dist/${name.slice(0, -'.ts'.length)}`);
    const expected = modules.flatMap((name) => [`${name}.js`, `${name}.d.ts`]);
    const found = paths.filter((path) => path.startsWith('dist/') && !isPage(path));
    expect(found.toSorted()).toEqual([...expected, 'dist/build.json'].toSorted());
  });

  it.each([...Object.values(manifest.bin), ...Object.values(manifest.exports)])('has the entry point %s', (path) => {
    expect(paths).toContain(path.replace(/^\.\//, ''));
  });

  describeInstalledLibrary(() => tarball);
});

/** True for a file of the documentation page, which is no module of the program. */
function isPage(path: string): boolean {
  return /^dist\/documentation\/(?:page|swagger-ui)\//.test(path);
}
