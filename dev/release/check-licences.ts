import { judge, type Finding } from './finding.ts';

/** The SPDX licences that a shipped package may have: each allows use and distribution under our own terms. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'PSF-2.0',
]);

/** Packages whose manifest names no SPDX licence, with that of their licence file. */
const READ_BY_US: ReadonlyMap<string, string> = new Map([
  ['passport-strategy@1.0.0', 'MIT'],
  ['pause@0.0.1', 'MIT'],
]);

/** A package that is shipped, or installed with what is. */
export interface LicensedPackage {
  /** Its name and version, such as `pause@0.0.1`. */
  readonly id: string;
  /** What its manifest says; absent when it says nothing. */
  readonly licence?: string | undefined;
}

/** The licence of a package; `undefined` when nobody knows. */
function licenceOf({ id, licence }: LicensedPackage): string | undefined {
  return licence ?? READ_BY_US.get(id);
}

/** Compares the licences of packages with the list of those that are allowed. An expression counts as what it is not. */
export function checkLicences(packages: readonly LicensedPackage[]): Finding {
  const faults = packages
    .map((one) => ({ id: one.id, licence: licenceOf(one) }))
    .filter(({ licence }) => licence === undefined || !ALLOWED.has(licence))
    .map(({ id, licence }) =>
      licence === undefined
        ? `${id} names no licence: read its files, then add it to READ_BY_US of dev/release/check-licences.ts.`
        : `${id} has the licence ${licence}, which is not on the list: replace it, or add the licence to ALLOWED of dev/release/check-licences.ts.`,
    );
  return judge('licences', faults, `${packages.length} packages, each with a licence of the list`);
}

/** The packages with their licences as text, one a line. */
export function writeLicences(packages: readonly LicensedPackage[]): string {
  const lines = packages.map((one) => `${one.id}\t${licenceOf(one) ?? 'unknown'}`);
  return `${lines.toSorted().join('\n')}\n`;
}
