import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { judge, type Finding } from './finding.ts';
import { copySource, type Source } from './source.ts';

/** The package as npm takes it. */
export interface PackedPackage {
  readonly file: string;
  /** Its files. */
  readonly paths: readonly string[];
  /** The TypeScript files of `src/` that it was built from, relative to it. */
  readonly modules: readonly string[];
}

/** What {@link packPackage} works with. */
export interface PackOptions {
  /** An empty folder to build in. */
  readonly workFolder: string;
  /** The folder that gets the tarball. */
  readonly outputFolder: string;
}

/**
 * Builds a copy of the sources and packs it. The same sources give the same bytes, wherever and whenever: nothing of the
 * folder, the clock or earlier builds goes in, and npm sets the times of the files itself.
 */
export function packPackage(source: Source, { workFolder, outputFolder }: PackOptions): PackedPackage {
  copySource(source, workFolder);
  symlinkSync(join(source.folder, 'node_modules'), join(workFolder, 'node_modules'));
  const run = (...args: string[]): string =>
    execFileSync('npm', args, {
      cwd: workFolder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, GIT_COMMIT: source.commit, NODE_OPTIONS: '' },
    });
  run('run', '--silent', 'build');
  settleModes(workFolder);
  mkdirSync(outputFolder, { recursive: true });
  const out = run('pack', '--json', '--ignore-scripts', '--pack-destination', outputFolder);
  const [{ filename, files }] = JSON.parse(out) as [{ filename: string; files: { path: string }[] }];
  return {
    file: join(outputFolder, filename),
    paths: files.map(({ path }) => path),
    modules: readdirSync(join(workFolder, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    ),
  };
}

/** Gives all files the same permissions, which otherwise follow the umask of whoever builds; npm marks the program. */
function settleModes(folder: string): void {
  for (const { name, parentPath } of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )) {
    chmodSync(join(parentPath, name), 0o644);
  }
}

/** Looks whether a file of the package names the folder that it was built in; it would differ elsewhere. */
export function checkTraces({ paths }: PackedPackage, workFolder: string): Finding {
  const traces = paths.filter((path) => readFileSync(join(workFolder, path), 'utf8').includes(workFolder));
  return judge(
    'traces',
    traces.map((path) => `${path} names the folder in which it was built.`),
    'no file names the folder in which it was built',
  );
}
