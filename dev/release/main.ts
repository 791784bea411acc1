import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeRelease, type ReleaseOptions } from './make-release.ts';

const USAGE = `Usage:
  npm run release:check                   make everything that a release needs, and check it; what only a release needs
                                          is told as "later"
  npm run release:check -- --release …    the same, and nothing may be missing
    --base IMAGE@sha256:…                 the base image of the image, with its digest
    --builder URI                         who builds, for the provenance
    --repository URI                      where the commit is, such as git+https://…
    --output FOLDER                       default artifacts/release; what is there goes
Exit codes: 0 all is well, 1 something is at fault, 2 the command line is wrong.`;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const OPTIONS = {
  release: { type: 'boolean', default: false },
  base: { type: 'string' },
  builder: { type: 'string' },
  repository: { type: 'string' },
  output: { type: 'string' },
} as const;

/** The command line; `undefined` when it is wrong. */
function readOptions(): ReleaseOptions | undefined {
  try {
    const { release, base, builder, repository, output } = parseArgs({ options: OPTIONS }).values;
    return {
      folder: ROOT,
      outputFolder: output ?? `${ROOT}artifacts/release`,
      isRelease: release,
      base,
      builder,
      repository,
      tell: ({ outcome, check, says }) => console.log(`${outcome.padEnd(7)}${check.padEnd(19)}${says}`),
    };
  } catch {
    return undefined;
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const isGood = await makeRelease(options);
  console.log(isGood ? `made ${options.outputFolder}` : 'faults: nothing of this may be published');
  return isGood ? 0 : 1;
}

process.exitCode = await main();
