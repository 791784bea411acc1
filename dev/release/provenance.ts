import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { needed, ok, type Finding } from './finding.ts';
import type { Source } from './source.ts';

/** Who builds, and from where. */
export interface Origin {
  /** The URI of the builder; whoever signs vouches for it. */
  readonly builder: string | undefined;
  /** The URI of the repository, such as `git+https://…`. */
  readonly repository: string | undefined;
}

/** Stands where nobody said it, between releases. */
const UNNAMED = 'urn:obo-gateway:unnamed';

/** Names the steps of this folder; docs/release.md describes them and their parameters. */
const BUILD_TYPE = 'urn:obo-gateway:release-check:v1';

/** The SHA-256 of a file in hexadecimal. */
export function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Looks whether builder and repository are named by URIs. */
export function checkOrigin({ builder, repository }: Origin, isRelease: boolean): Finding {
  const missing = Object.entries({ '--builder': builder, '--repository': repository })
    .filter(([, uri]) => uri === undefined || !URL.canParse(uri))
    .map(([option]) => option);
  return missing.length === 0
    ? ok('provenance', `built by ${builder} from ${repository}`)
    : needed(isRelease, 'provenance', `give ${missing.join(' and ')}, each a URI.`);
}

/**
 * States what was built from what: an in-toto statement with the provenance of SLSA. It is not signed; that is for the
 * builder, whose id it names. It holds no time, so that the same sources give the same statement.
 *
 * @param files the artifacts
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 * @see https://slsa.dev/spec/v1.0/provenance
 */
export function writeProvenance(files: readonly string[], source: Source, { builder, repository }: Origin): string {
  const uri = repository ?? UNNAMED;
  const { commit, isModified, folder } = source;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: files.map((file) => ({ name: basename(file), digest: { sha256: digestOf(file) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { repository: uri, commit },
        internalParameters: {
          node: process.version,
          npm: execFileSync('npm', ['--version'], { encoding: 'utf8' }).trim(),
        },
        resolvedDependencies: [
          {
            uri: `${uri}@${commit}`,
            digest: { gitCommit: commit },
            // What is not committed cannot be had from the commit: such a statement is for a try only.
            ...(isModified ? { annotations: { modified: true } } : {}),
          },
          { name: 'package-lock.json', digest: { sha256: digestOf(join(folder, 'package-lock.json')) } },
        ],
      },
      runDetails: { builder: { id: builder ?? UNNAMED } },
    },
  };
  return `${JSON.stringify(statement, undefined, 2)}\n`;
}
