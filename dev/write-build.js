// Writes build.json, from which the program knows its version and commit: `node dev/write-build.js <folder>`.
// It runs where only the sources of the program are, such as in the making of an image, so it is plain JavaScript.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const commit = (process.env['GIT_COMMIT'] || readCommit()).slice(0, 12);
writeFileSync(join(process.argv[2] ?? 'dist', 'build.json'), `${JSON.stringify({ version, commit })}\n`);

/** The commit of a checkout, empty where there is none, or no git. */
function readCommit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}
