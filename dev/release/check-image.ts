import { fault, needed, ok, type Finding } from './finding.ts';
import type { Source } from './source.ts';

/** An image name with the digest of one image. */
const PINNED = /^(?<name>[a-z0-9][\w./:-]*)@sha256:[0-9a-f]{64}$/;

/**
 * Looks whether the image is built on one image and no other: every stage starts from `BASE`, and `BASE` is the tag of the
 * Dockerfile with its digest.
 *
 * @param base what the build is to be given as `BASE`; absent when nobody said
 */
export function checkBaseImage(dockerfile: string, base: string | undefined, isRelease: boolean): Finding {
  const usual = /^ARG BASE=(\S+)$/m.exec(dockerfile)?.[1] ?? '';
  const foreign = [...dockerfile.matchAll(/^FROM (\S+)/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== '${BASE}');
  if (foreign.length > 0) {
    return fault('image', `the Dockerfile starts a stage from ${foreign.join(' and ')}: start it from \${BASE}.`);
  }
  if (base === undefined) {
    return needed(
      isRelease,
      'image',
      `no base image: give --base ${usual}@sha256:…, as "docker buildx imagetools inspect ${usual}" prints it.`,
    );
  }
  const name = PINNED.exec(base)?.groups?.['name'];
  if (name === undefined) {
    return needed(isRelease, 'image', `${base} has no digest: give --base ${usual}@sha256:… instead.`);
  }
  return name.split('/').at(-1) === usual.split('/').at(-1)
    ? ok('image', `built on ${base}`)
    : fault('image', `${name} is not ${usual}, on which the tests run: change both, or neither.`);
}

/** What decides an image besides its Dockerfile. */
export interface ImageArguments {
  readonly base: string | undefined;
  readonly source: Pick<Source, 'commit' | 'committedAt'>;
  readonly version: string;
}

/** The build arguments of the image, one a line; `BASE` is absent when nobody said it. */
export function writeImageArguments({ base, source, version }: ImageArguments): string {
  const lines = [`COMMIT=${source.commit}`, `CREATED=${source.committedAt}`, `VERSION=${version}`];
  return `${[...(base === undefined ? [] : [`BASE=${base}`]), ...lines].join('\n')}\n`;
}
