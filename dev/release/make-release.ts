import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBill, listPackages, makeBill } from './bill-of-materials.ts';
import { checkContents } from './check-contents.ts';
import { checkBaseImage, writeImageArguments } from './check-image.ts';
import { checkLicences, writeLicences } from './check-licences.ts';
import { checkChangelog, checkVersions, readVersion, writeNotes } from './check-versions.ts';
import type { Finding } from './finding.ts';
import { checkTraces, packPackage } from './package.ts';
import { checkOrigin, digestOf, writeProvenance, type Origin } from './provenance.ts';
import { checkSource, readSource } from './source.ts';
import { tryPackage } from './try-package.ts';

/** What {@link makeRelease} is told. */
export interface ReleaseOptions extends Origin {
  /** The checkout. */
  readonly folder: string;
  /** Gets the artifacts; whatever is there goes. */
  readonly outputFolder: string;
  /** False between releases: what only a release needs is told then, and no fault. */
  readonly isRelease: boolean;
  /** The base image of the image; absent when nobody said. */
  readonly base: string | undefined;
  /** Gets each finding at once. */
  readonly tell: (finding: Finding) => void;
}

/**
 * Makes what a release needs and checks each part. Faults of the sources end it before anything is made.
 *
 * @returns true when nothing is at fault
 */
export async function makeRelease(options: ReleaseOptions): Promise<boolean> {
  const { folder, outputFolder, isRelease, base, tell } = options;
  const findings: Finding[] = [];
  const add = (finding: Finding): void => {
    findings.push(finding);
    tell(finding);
  };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const files = {
    'package.json': read('package.json'),
    'package-lock.json': read('package-lock.json'),
    'CHANGELOG.md': read('CHANGELOG.md'),
    Dockerfile: read('Dockerfile'),
  };
  const version = readVersion(files['package.json']);
  const source = readSource(folder);
  add(checkVersions(files));
  add(checkChangelog(files['CHANGELOG.md'], version, isRelease));
  add(checkSource(source, version, isRelease));
  add(checkBaseImage(files.Dockerfile, base, isRelease));
  add(checkOrigin(options, isRelease));
  if (!isGood(findings)) {
    return false;
  }

  rmSync(outputFolder, { recursive: true, force: true });
  mkdirSync(outputFolder, { recursive: true });
  const write = (name: string, text: string): string => {
    const file = join(outputFolder, name);
    writeFileSync(file, text);
    return file;
  };
  const workFolder = mkdtempSync(join(tmpdir(), 'release-build-'));
  const userFolder = mkdtempSync(join(tmpdir(), 'release-user-'));
  try {
    const packed = packPackage(source, { workFolder, outputFolder });
    add(checkContents(packed.paths, packed.modules));
    add(checkTraces(packed, workFolder));
    add(tryPackage(packed.file, userFolder, source, version));
    const bill = makeBill(source);
    add(await checkBill(bill));
    add(checkLicences(listPackages(bill)));
    const made = [
      packed.file,
      write('sbom.cdx.json', bill),
      write('licences.tsv', writeLicences(listPackages(bill))),
      write('release-notes.md', writeNotes(files['CHANGELOG.md'])),
      write('image-arguments.txt', writeImageArguments({ base, source, version })),
    ];
    write('provenance.unsigned.json', writeProvenance(made, source, options));
  } finally {
    rmSync(workFolder, { recursive: true });
    rmSync(userFolder, { recursive: true });
  }
  write('SHA256SUMS', sumUp(outputFolder));
  return isGood(findings);
}

function isGood(findings: readonly Finding[]): boolean {
  return findings.every(({ outcome }) => outcome !== 'fault');
}

/** The digests of all files of a folder, in the form of `sha256sum`. */
function sumUp(folder: string): string {
  return readdirSync(folder)
    .toSorted()
    .map((name) => `${digestOf(join(folder, name))}  ${name}\n`)
    .join('');
}
