import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listPackages } from '../../dev/release/bill-of-materials.ts';
import { packPackage } from '../../dev/release/package.ts';
import { digestOf } from '../../dev/release/provenance.ts';
import { readSource } from '../../dev/release/source.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
}

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
const version = packages['']?.version ?? '';
const tarball = `obo-gateway-${version}.tgz`;

describe('npm run release:check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  const artifacts = join(folder, 'made');
  const read = (name: string): string => readFileSync(join(artifacts, name), 'utf8');
  let told: string;

  beforeAll(async () => {
    const command = ['run', '--silent', 'release:check', '--', '--output', artifacts];
    told = (await promisify(execFile)('npm', command, { cwd: root })).stdout;
  }, 180_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('says of each part that it is well, or what only a release needs', () => {
    const outcomes = told.split('\n').map((line) => line.split(' ')[0]);
    expect(outcomes.filter((word) => word !== '' && !['ok', 'later', 'made'].includes(word ?? ''))).toEqual([]);
    expect(told).toContain('ok     installation       installs, and runs --version and check');
    const [first] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').match(/^## .*$/m) ?? [];
    expect(told.includes('not a release: Unreleased section')).toBe(first === '## Unreleased');
  });

  it('makes the tarball, what it is made of, where it came from, and the text of the release', () => {
    expect(readdirSync(artifacts).toSorted()).toEqual([
      'SHA256SUMS',
      'image-arguments.txt',
      'licences.tsv',
      tarball,
      'provenance.unsigned.json',
      'release-notes.md',
      'sbom.cdx.json',
    ]);
  });

  it('gives the digests of all the rest, as sha256sum reads them', () => {
    const sums = read('SHA256SUMS').trimEnd().split('\n');
    expect(sums).toHaveLength(readdirSync(artifacts).length - 1);
    expect(execFileSync('sha256sum', ['--strict', '--check', 'SHA256SUMS'], { cwd: artifacts, encoding: 'utf8' })).toBe(
      sums.map((line) => `${line.slice(66)}: OK\n`).join(''),
    );
  });

  it('makes the same bytes of the same sources in another folder at another time', () => {
    const workFolder = mkdtempSync(join(folder, 'again-'));
    const { file } = packPackage(readSource(root), { workFolder, outputFolder: join(folder, 'second') });
    expect(digestOf(file)).toBe(digestOf(join(artifacts, tarball)));
  }, 120_000);

  it('lists the production packages of the lock file and what is copied in, and no other', () => {
    const shipped = Object.entries(packages)
      .filter(([path, { dev = false }]) => path !== '' && !dev)
      .map(([path, one]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${one.version}`);
    const copied = `swagger-ui-dist@${packages['node_modules/swagger-ui-dist']?.version}`;
    const listed = new Set(listPackages(read('sbom.cdx.json')).map(({ id }) => id));
    expect([...listed].toSorted()).toEqual([...new Set([...shipped, copied])].toSorted());
  });

  it('states that the artifacts came from this commit and this lock file, unsigned', () => {
    const { commit } = readSource(root);
    expect(JSON.parse(read('provenance.unsigned.json'))).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: tarball, digest: { sha256: digestOf(join(artifacts, tarball)) } },
        { name: 'sbom.cdx.json' },
        { name: 'licences.tsv' },
        { name: 'release-notes.md' },
        { name: 'image-arguments.txt' },
      ],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          resolvedDependencies: [
            { digest: { gitCommit: commit } },
            { name: 'package-lock.json', digest: { sha256: digestOf(join(root, 'package-lock.json')) } },
          ],
        },
        runDetails: { builder: { id: 'urn:obo-gateway:unnamed' } },
      },
    });
  });

  it.each([
    { title: 'a release of which something is missing', args: ['--release'], code: 1, says: 'fault  image ' },
    { title: 'an option that does not exist', args: ['--relase'], code: 2, says: 'Usage:' },
  ])('refuses $title, and makes nothing', ({ args, code, says }) => {
    const output = join(folder, 'refused');
    const result = spawnSync('npm', ['run', '--silent', 'release:check', '--', ...args, '--output', output], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(result.status).toBe(code);
    expect(result.stdout + result.stderr).toContain(says);
    expect(readdirSync(folder)).not.toContain('refused');
  });
});
