import { readSections, UNRELEASED } from './changelog.ts';
import { fault, judge, needed, ok, type Finding } from './finding.ts';

/** The files that name the version, as text. */
export interface VersionedFiles {
  readonly 'package.json': string;
  readonly 'package-lock.json': string;
  readonly 'CHANGELOG.md': string;
  readonly Dockerfile: string;
}

interface Lock {
  readonly version?: string;
  readonly packages?: Readonly<Record<string, { readonly version?: string }>>;
}

/** The version of a manifest. */
export function readVersion(manifest: string): string {
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Compares every place that names the version with package.json. */
export function checkVersions(files: VersionedFiles): Finding {
  const version = readVersion(files['package.json']);
  const lock = JSON.parse(files['package-lock.json']) as Lock;
  const released = readSections(files['CHANGELOG.md']).find(({ name }) => name !== UNRELEASED)?.name;
  const places: readonly [place: string, found: string | undefined][] = [
    ['package-lock.json', lock.version],
    ['package-lock.json (packages[""])', lock.packages?.['']?.version],
    ['the newest version of CHANGELOG.md', released],
    ['VERSION of the Dockerfile', /^ARG VERSION=(\S*)$/m.exec(files.Dockerfile)?.[1]],
  ];
  const faults = places
    .filter(([, found]) => found !== version)
    .map(([place, found]) => `${place} says ${found ?? 'nothing'}, package.json ${version}: make them the same.`);
  return judge('versions', faults, `${version} everywhere`);
}

/** Looks whether CHANGELOG.md tells of a release: its first section is the version, and says something. */
export function checkChangelog(changelog: string, version: string, isRelease: boolean): Finding {
  const [first] = readSections(changelog);
  if (first === undefined) {
    return fault('changelog', 'CHANGELOG.md has no section: begin one with "## " and the version.');
  }
  if (first.name === UNRELEASED) {
    return needed(
      isRelease,
      'changelog',
      `not a release: ${UNRELEASED} section. Turn its heading into "## " and the version that package.json then has.`,
    );
  }
  if (first.name !== version) {
    return fault('changelog', `the first section is ${first.name}, package.json says ${version}: make them the same.`);
  }
  return first.text === ''
    ? fault('changelog', `the section ${version} is empty: say what changed for operators and callers.`)
    : ok('changelog', `the section ${version} stands first`);
}

/** The text of the release: the first section of CHANGELOG.md. */
export function writeNotes(changelog: string): string {
  const [{ name, text } = { name: UNRELEASED, text: '' }] = readSections(changelog);
  return `# ${name}\n\n${text}\n`;
}
