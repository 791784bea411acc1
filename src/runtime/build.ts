import { readFileSync } from 'node:fs';

/** The version of this program and of what it runs on. */
export interface Build {
  readonly version: string;
  /** The short commit of the sources; empty where the build was not told it. */
  readonly commit: string;
  /** The version of Node. */
  readonly node: string;
}

/**
 * The version of what runs here: `npm run build` writes `build.json` at the root of the compiled modules; sources that
 * run as they are take their version from package.json.
 */
export const BUILD: Build = {
  version: '',
  commit: '',
  ...(read('../build.json') ?? read('../../package.json')),
  node: process.version,
};

function read(path: string): (Pick<Build, 'version'> & Partial<Pick<Build, 'commit'>>) | undefined {
  try {
    const { version, commit } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Build;
    return { version, ...(commit === undefined ? {} : { commit }) };
  } catch {
    return undefined;
  }
}
