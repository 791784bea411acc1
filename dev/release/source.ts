import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { needed, ok, type Finding } from './finding.ts';

/** The checkout that is released. */
export interface Source {
  readonly folder: string;
  /** The commit, 40 hexadecimal digits. */
  readonly commit: string;
  /** When it was made, in ISO 8601. */
  readonly committedAt: string;
  /** True when files differ from the commit. */
  readonly isModified: boolean;
  /** The tags of this commit. */
  readonly tags: readonly string[];
}

/** Reads which commit a checkout is at. */
export function readSource(folder: string): Source {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  return {
    folder,
    commit: git('rev-parse', 'HEAD'),
    committedAt: new Date(git('log', '-1', '--format=%cI')).toISOString(),
    isModified: git('status', '--porcelain') !== '',
    tags: git('tag', '--points-at', 'HEAD').split('\n'),
  };
}

/** Looks whether the commit is what is built, and tagged with the version. */
export function checkSource({ isModified, tags, commit }: Source, version: string, isRelease: boolean): Finding {
  if (isModified) {
    return needed(
      isRelease,
      'commit',
      'the checkout differs from its commit: commit, or remove what is not part of it.',
    );
  }
  const tag = `v${version}`;
  return tags.includes(tag)
    ? ok('commit', `${commit}, tagged ${tag}`)
    : needed(isRelease, 'commit', `the commit has no tag ${tag}: git tag -a ${tag}.`);
}

/** What the package is made from: the files at the top, the program, and the scripts of its build. */
const MADE_FROM = /^(?:[^/]+|src\/.+|dev\/[\w-]+\.js)$/;

/** Copies what the package is made from, as far as git knows it or would take it: nothing that was built or installed. */
export function copySource({ folder }: Source, target: string): void {
  const out = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1_024 * 1_024,
  });
  for (const name of out.split('\0').filter((path) => MADE_FROM.test(path))) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(folder, name), join(target, name));
  }
}
