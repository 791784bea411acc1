import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import type { LicensedPackage } from './check-licences.ts';
import { judge, type Finding } from './finding.ts';
import type { Source } from './source.ts';

/** Development packages whose files the build copies into the package. */
const COPIED_IN = ['swagger-ui-dist'];

interface Component {
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly licenses?: readonly { readonly license?: { readonly id?: string; readonly name?: string } }[];
}

interface Bill {
  readonly components: readonly Component[];
}

/**
 * Lists what is shipped and installed with it as a CycloneDX document: the production packages of the lock file by
 * CycloneDX' own tool for npm, and the packages whose files are copied in. It is the same for the same lock file.
 *
 * @returns the document as text
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function makeBill({ folder }: Source): string {
  const out = execFileSync(
    join(folder, 'node_modules/.bin/cyclonedx-npm'),
    '--package-lock-only --omit dev --flatten-components --output-reproducible --spec-version 1.6 -o -'.split(' '),
    {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 64 * 1_024 * 1_024,
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
    },
  );
  const bill = JSON.parse(out) as Bill;
  const components = [...bill.components, ...COPIED_IN.map((name) => describeCopied(folder, name))];
  return `${JSON.stringify({ ...bill, components }, undefined, 2)}\n`;
}

function describeCopied(folder: string, name: string): Component {
  const manifest = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  const component = {
    type: 'library',
    name,
    version: manifest.version,
    'bom-ref': `copied|${name}@${manifest.version}`,
    purl: `pkg:npm/${name}@${manifest.version}`,
    licenses: [{ license: { id: manifest.license, acknowledgement: 'declared' } }],
    properties: [{ name: 'cdx:npm:package:bundled', value: 'true' }],
  };
  return component;
}

/** Compares a document with the strict schema of CycloneDX 1.6. */
export async function checkBill(bill: string): Promise<Finding> {
  const found = await new JsonStrictValidator(Version.v1dot6).validate(bill);
  const faults = found === null ? [] : [`the bill of materials breaks CycloneDX' schema: ${JSON.stringify(found)}`];
  return judge(
    'bill of materials',
    faults,
    `${listPackages(bill).length} packages, valid by the schema of CycloneDX 1.6`,
  );
}

/** The packages that a document lists. */
export function listPackages(bill: string): LicensedPackage[] {
  return (JSON.parse(bill) as Bill).components.map(({ group, name, version, licenses = [] }) => ({
    id: `${group === undefined ? name : `${group}/${name}`}@${version}`,
    licence: licenses.map(({ license }) => license?.id ?? license?.name ?? 'an expression').join(' and ') || undefined,
  }));
}
