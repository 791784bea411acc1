import { describe, expect, it } from '@jest/globals';
import { checkBill } from '../../../dev/release/bill-of-materials.ts';
import { checkContents } from '../../../dev/release/check-contents.ts';
import { checkBaseImage } from '../../../dev/release/check-image.ts';
import { checkLicences } from '../../../dev/release/check-licences.ts';
import { checkChangelog, checkVersions, writeNotes } from '../../../dev/release/check-versions.ts';
import { checkOrigin } from '../../../dev/release/provenance.ts';
import { checkSource } from '../../../dev/release/source.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** The files that name a version, all the same one unless a case says otherwise. */
function versionedFiles(changed: object = {}) {
  return {
    'package.json': '{ "version": "1.2.3" }',
    'package-lock.json': '{ "version": "1.2.3", "packages": { "": { "version": "1.2.3" } } }',
    'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- new\n\n## 1.2.3\n\n- old\n',
    Dockerfile: 'ARG VERSION=1.2.3\n',
    ...changed,
  };
}

describe('the version of a release', () => {
  it('is the same in every file', () => {
    expect(checkVersions(versionedFiles()).outcome).toBe('ok');
  });

  it.each([
    { changed: { 'package-lock.json': '{ "version": "1.2.2", "packages": { "": { "version": "1.2.3" } } }' } },
    { changed: { 'package-lock.json': '{ "version": "1.2.3", "packages": { "": { "version": "1.2.2" } } }' } },
    { changed: { 'CHANGELOG.md': '## 1.2.2\n\n- old\n' } },
    { changed: { 'CHANGELOG.md': '# Changelog\n' } },
    { changed: { Dockerfile: 'ARG VERSION=1.2.2\n' } },
    { changed: { Dockerfile: 'FROM node\n' } },
  ])('is a fault where one file differs: $changed', ({ changed }) => {
    const { outcome, says } = checkVersions(versionedFiles(changed));
    expect([outcome, says]).toEqual(['fault', expect.stringContaining('package.json 1.2.3')]);
  });
});

describe('the changelog of a release', () => {
  it.each([
    { changelog: '## 1.2.3\n\n- new\n', isRelease: true, outcome: 'ok' },
    { changelog: '## Unreleased\n\n- new\n\n## 1.2.3\n\n- old\n', isRelease: true, outcome: 'fault' },
    { changelog: '## Unreleased\n\n- new\n\n## 1.2.3\n\n- old\n', isRelease: false, outcome: 'later' },
    { changelog: '## 1.2.3\n\n## 1.2.2\n\n- old\n', isRelease: false, outcome: 'fault' },
    { changelog: '## 1.2.3', isRelease: false, outcome: 'fault' },
    { changelog: '## 1.2.2\n\n- old\n', isRelease: true, outcome: 'fault' },
    { changelog: '# Changelog\n', isRelease: false, outcome: 'fault' },
  ])('is $outcome for $changelog (a release: $isRelease)', ({ changelog, isRelease, outcome }) => {
    expect(checkChangelog(changelog, '1.2.3', isRelease).outcome).toBe(outcome);
  });

  it('says plainly that this is none', () => {
    expect(checkChangelog('## Unreleased\n', '1.2.3', false).says).toMatch(/^not a release: Unreleased section\./);
  });

  it('is the text of its first section, with the headings below it', () => {
    expect(writeNotes('# Changelog\n\n## 1.2.3\n\n### Tokens\n\n- new\n\n## 1.2.2\n\n- old\n')).toBe(
      '# 1.2.3\n\n### Tokens\n\n- new\n',
    );
  });
});

describe('the files of the package', () => {
  const modules = ['main.ts', 'http/server.ts'];
  const rest = ['CHANGELOG.md', 'LICENSE', 'README.md', 'gateway.schema.json', 'package.json', 'dist/build.json'];
  const page = ['dist/documentation/page/index.html', 'dist/documentation/swagger-ui/LICENSE'];
  const programs = ['dist/main.js', 'dist/main.d.ts', 'dist/http/server.js', 'dist/http/server.d.ts'];
  const good = [...rest, ...page, ...programs];

  it('are the program with its types, the page, and what says what they are', () => {
    expect(checkContents(good, modules).outcome).toBe('ok');
  });

  it.each([
    'dist/main.js.map',
    'dist/documentation/page/page.js.map',
    'dist/gone.js',
    'src/main.ts',
    'dev/main.ts',
    'gateway.yaml',
    '.env',
  ])('do not include %s', (path) => {
    const { outcome, says } = checkContents([...good, path], modules);
    expect([outcome, says]).toEqual(['fault', expect.stringContaining(`${path} does not belong into the package`)]);
  });

  it.each(['dist/http/server.d.ts', 'LICENSE', 'CHANGELOG.md'])('must include %s', (path) => {
    const { outcome, says } = checkContents(
      good.filter((one) => one !== path),
      modules,
    );
    expect([outcome, says]).toEqual(['fault', expect.stringContaining(`${path} is missing`)]);
  });
});

describe('the licences of what is shipped', () => {
  it.each([
    { id: 'a@1.0.0', licence: 'MIT', outcome: 'ok' },
    { id: 'a@1.0.0', licence: 'GPL-3.0-only', outcome: 'fault' },
    { id: 'a@1.0.0', licence: 'MIT and GPL-3.0-only', outcome: 'fault' },
    { id: 'a@1.0.0', licence: undefined, outcome: 'fault' },
    { id: 'pause@0.0.1', licence: undefined, outcome: 'ok' },
    { id: 'pause@0.0.2', licence: undefined, outcome: 'fault' },
  ])('are $outcome with $id under $licence', ({ id, licence, outcome }) => {
    expect(checkLicences([{ id, licence }]).outcome).toBe(outcome);
  });
});

describe('the bill of materials', () => {
  const bill = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [] as object[] };
  const component = { type: 'library', name: 'a', version: '1.0.0' };

  it.each([
    { title: 'what the schema allows', text: JSON.stringify({ ...bill, components: [component] }), outcome: 'ok' },
    {
      title: 'a component without a type',
      text: JSON.stringify({ ...bill, components: [{ name: 'a' }] }),
      outcome: 'fault',
    },
    { title: 'a member that nobody knows', text: JSON.stringify({ ...bill, parts: [] }), outcome: 'fault' },
  ])('is $outcome with $title', async ({ text, outcome }) => {
    expect((await checkBill(text)).outcome).toBe(outcome);
  });
});

describe('the base image of a release', () => {
  const dockerfile = 'ARG BASE=node:26-slim\nFROM ${BASE} AS build\nFROM ${BASE}\n';

  it.each([
    { base: `node:26-slim@${DIGEST}`, isRelease: true, outcome: 'ok' },
    { base: `registry.example:5000/mirror/node:26-slim@${DIGEST}`, isRelease: true, outcome: 'ok' },
    { base: undefined, isRelease: true, outcome: 'fault' },
    { base: undefined, isRelease: false, outcome: 'later' },
    { base: 'node:26-slim', isRelease: true, outcome: 'fault' },
    { base: `node:26-slim@${DIGEST.slice(0, -1)}`, isRelease: true, outcome: 'fault' },
    { base: `node:24-slim@${DIGEST}`, isRelease: true, outcome: 'fault' },
    { base: `node:24-slim@${DIGEST}`, isRelease: false, outcome: 'fault' },
  ])('is $outcome as $base (a release: $isRelease)', ({ base, isRelease, outcome }) => {
    expect(checkBaseImage(dockerfile, base, isRelease).outcome).toBe(outcome);
  });

  it('is that of every stage', () => {
    const other = `${dockerfile}FROM debian:13\n`;
    expect(checkBaseImage(other, `node:26-slim@${DIGEST}`, false)).toMatchObject({
      outcome: 'fault',
      says: expect.stringContaining('debian:13'),
    });
  });
});

describe('the origin of a release', () => {
  const builder = 'https://ci.example/builders/release';
  const repository = 'git+https://code.example/obo-gateway';
  const commit = { folder: '', commit: 'c0ffee', committedAt: '', isModified: false, tags: ['v1.2.3'] };

  it.each([
    { origin: { builder, repository }, isRelease: true, outcome: 'ok' },
    { origin: { builder, repository: undefined }, isRelease: true, outcome: 'fault' },
    { origin: { builder: 'ci', repository }, isRelease: true, outcome: 'fault' },
    { origin: { builder: undefined, repository: undefined }, isRelease: false, outcome: 'later' },
  ])('is $outcome as $origin (a release: $isRelease)', ({ origin, isRelease, outcome }) => {
    expect(checkOrigin(origin, isRelease).outcome).toBe(outcome);
  });

  it.each([
    { source: commit, isRelease: true, outcome: 'ok' },
    { source: { ...commit, tags: ['v1.2.2'] }, isRelease: true, outcome: 'fault' },
    { source: { ...commit, isModified: true }, isRelease: true, outcome: 'fault' },
    { source: { ...commit, isModified: true }, isRelease: false, outcome: 'later' },
  ])('is $outcome for the checkout $source (a release: $isRelease)', ({ source, isRelease, outcome }) => {
    expect(checkSource(source, '1.2.3', isRelease).outcome).toBe(outcome);
  });
});
