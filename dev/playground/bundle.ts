import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What a browser gets. */
export interface PageFile {
  readonly contentType: string;
  readonly content: Buffer;
}

/** The files of the playground by their path, `/index.html`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** Where pages are, and under which path they are served. */
interface PageFolder {
  readonly folder: string;
  readonly at: string;
}

const FOLDERS: readonly PageFolder[] = [
  { folder: fileURLToPath(new URL('page/', import.meta.url)), at: '/' },
  { folder: fileURLToPath(new URL('../../examples/single-page-app/', import.meta.url)), at: '/single-page-app/' },
];

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** `src` or `href` of a script or style sheet. */
const REFERENCE = /(?:src|href)="\/?([\w/-]+)\.(js|css)"/g;

let files: Promise<PageFiles> | undefined;

/**
 * The pages of `page/` and of the single-page app of `examples/` as they are, and each script and style sheet that one of
 * them names: `/app.js` is made of `page/app.ts` and all that it imports. In memory, and once for each process.
 *
 * @throws {Error} what esbuild found wrong, with file and line
 */
export function bundlePages(): Promise<PageFiles> {
  files ??= Promise.all(FOLDERS.map(readAndBundle)).then((found) => new Map(found.flat()));
  return files;
}

async function readAndBundle({ folder, at }: PageFolder): Promise<[string, PageFile][]> {
  const names = (await readdir(folder)).filter((name) => ['.html', '.svg'].includes(extname(name)));
  const pages = await Promise.all(
    names.map(async (name) => toPageFile(`${at}${name}`, await readFile(join(folder, name)))),
  );
  const bundles = await bundle(
    { folder, at },
    pages.flatMap(([, { content }]) => findEntries(content.toString())),
  );
  return [...pages, ...bundles];
}

/** The sources of what a page names, relative to the folder. */
function findEntries(html: string): string[] {
  return [...html.matchAll(REFERENCE)].map(([, name, type]) => `${name}.${type === 'js' ? 'ts' : 'css'}`);
}

async function bundle({ folder, at }: PageFolder, entries: readonly string[]): Promise<[string, PageFile][]> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [...new Set(entries)].map((name) => `./${name}`),
    outbase: folder,
    outdir: at,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
  });
  return outputFiles.map(({ path, contents }) => toPageFile(path, Buffer.from(contents)));
}

function toPageFile(path: string, content: Buffer): [string, PageFile] {
  return [path, { contentType: CONTENT_TYPES[extname(path)] ?? 'application/octet-stream', content }];
}
